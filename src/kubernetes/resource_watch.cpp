#include "kubernetes/resource_watch.hpp"

#include "kubernetes/api_status.hpp"

#include <algorithm>
#include <utility>

namespace rotary::kubernetes {

namespace {

using std::chrono::milliseconds;
using Standing = WatchState::Standing;

constexpr std::size_t kListBytes = std::size_t{64} << 20U;  // of one page
constexpr std::size_t kListDepth = kObjectDepth + 3;        // around its objects
constexpr std::chrono::seconds kAfterItsEnd{30};  // that a watch may outlive the time asked for
constexpr std::chrono::seconds kQuick{1};
constexpr unsigned kSmallerPages = 10;  // times, after one that was too large

std::string text_of(const wire::JsonValue& object, std::string_view key) {
    const auto member = object.find(key);
    return std::string(member ? member->string().value_or("") : "");
}

}  // namespace

ResourceWatch::ResourceWatch(boost::asio::io_context& context, ApiClient& client, Logger& log,
                             Options options)
    : client_(client),
      log_(log),
      options_(std::move(options)),
      state_(options_.kind->versions.size(), options_.timeouts.kubernetes_retry),
      known_(std::string(options_.kind->name)),
      timer_(context),
      departure_(context),
      dice_(std::random_device{}()) {
    list();
}

// A timer that has gone off may have its handler queued.
ResourceWatch::~ResourceWatch() {
    *alive_ = false;
    call_.drop();
    timer_.cancel();
    departure_.cancel();
}

void ResourceWatch::configure(const config::Config& config) {
    options_.timeouts = config.timeouts;
    options_.limits = config.limits;
    state_.set_longest(options_.timeouts.kubernetes_retry);
}

double ResourceWatch::random() { return std::uniform_real_distribution<double>(0, 1)(dice_); }

void ResourceWatch::go_on(const Step& step) {
    pending_ = step.what;
    timer_.expires_after(step.wait);
    timer_.async_wait([this, still = alive_](const boost::system::error_code& error) {
        if (error || !*still || !pending_) return;
        if (*std::exchange(pending_, std::nullopt) == Step::Do::list) {
            list();
        } else {
            watch();
        }
    });
}

void ResourceWatch::hurry() {
    if (pending_ && state_.may_hurry()) go_on({*pending_, milliseconds(0)});
}

void ResourceWatch::list() {
    pages_.clear();
    continue_.clear();
    ApiRequest request;
    request.target = list_target(kind(), state_.version(), options_.selection, "");
    request.deadline = options_.timeouts.kubernetes_request;
    request.body_bytes = kListBytes;
    call_ =
        client_.request(std::move(request), [this](const ApiAnswer& answer) { take_page(answer); });
}

void ResourceWatch::take_page(const ApiAnswer& answer) {
    if (!answer.ok()) {
        list_failed(answer);
        return;
    }
    const auto document = wire::JsonDocument::parse(answer.body, {kListDepth, kListBytes});
    const auto metadata = document ? document->root().find("metadata") : std::nullopt;
    const auto items = document ? document->root().find("items") : std::nullopt;
    if (!metadata) {
        list_failed({"the answer is no list of objects", 0, "", milliseconds(0)});
        return;
    }
    if (items) {
        const std::string api_version = kind().api_version(state_.version());
        for (const wire::JsonValue item : items->elements()) {
            auto object = object_text(item, api_version, kind().name);
            if (object) known_.add_to(pages_, std::move(*object));
        }
    }
    continue_ = text_of(*metadata, "continue");
    if (continue_.empty()) {
        listed(text_of(*metadata, "resourceVersion"));
        return;
    }
    ApiRequest request;
    request.target = list_target(kind(), state_.version(), options_.selection, continue_);
    request.deadline = options_.timeouts.kubernetes_request;
    request.body_bytes = kListBytes;
    call_ = client_.request(std::move(request), [this](const ApiAnswer& next) { take_page(next); });
}

void ResourceWatch::listed(std::string_view version) {
    const Standing before = state_.standing();
    const bool was_complete = state_.is_complete();
    const Step step = state_.listed(version);
    last_error_.clear();
    const bool is_other = known_.replace(std::exchange(pages_, {})) || !leaving_.empty();
    stay();
    tell(before);
    go_on(step);
    if (is_other || !was_complete || before != state_.standing()) options_.on_change(is_other);
}

void ResourceWatch::list_failed(const ApiAnswer& answer) {
    pages_.clear();
    if (answer.status == 200 && !answer.error.empty() && answer.body.size() + 65536 > kListBytes) {
        options_.selection.page = std::max(1U, options_.selection.page / kSmallerPages);
    }
    const Standing before = state_.standing();
    const bool was_complete = state_.is_complete();
    last_error_ = words_of(answer);
    const Step step = state_.list_ended(ending_of(answer), random());
    if (state_.standing() == Standing::not_installed && !is_held_) hold_removed_kind();
    tell(before);
    go_on(step);
    if (before != state_.standing() || was_complete != state_.is_complete()) {
        options_.on_change(false);
    }
}

void ResourceWatch::watch() {
    const auto longest =
        std::chrono::duration_cast<std::chrono::seconds>(options_.timeouts.kubernetes_watch);
    const double share = 0.5 + random() / 2;
    const auto asked = std::max<std::int64_t>(
        1, static_cast<std::int64_t>(static_cast<double>(longest.count()) * share));
    ApiRequest request;
    request.target =
        watch_target(kind(), state_.version(), options_.selection,
                     WatchFrom{state_.resource_version(), static_cast<unsigned>(asked)});
    request.deadline = std::chrono::seconds(asked) + kAfterItsEnd;
    request.line_bytes = options_.limits.kubernetes_object_bytes;
    request.on_open = [this] { opened(); };
    request.on_line = [this](std::string_view line) { take_line(line); };
    is_over_ = false;
    watch_began_ = std::chrono::steady_clock::now();
    call_ = client_.request(std::move(request),
                            [this](const ApiAnswer& answer) { watch_ended(answer); });
}

// Of a kind in which nothing happens no line may come for minutes.
void ResourceWatch::opened() {
    const Standing before = state_.standing();
    state_.opened();
    tell(before);
    if (before != state_.standing()) options_.on_change(false);
}

void ResourceWatch::take_line(std::string_view line) {
    if (line.empty() || is_over_) return;
    const auto document = wire::JsonDocument::parse(
        line, {kObjectDepth + 1, options_.limits.kubernetes_object_bytes});
    const auto object = document ? document->root().find("object") : std::nullopt;
    if (!object) {
        last_error_ = "a line of the watch is no event";
        ending_ = {Ending::How::told, 0, milliseconds(0), false};
        is_over_ = true;
        return;
    }
    const std::string type = text_of(document->root(), "type");
    if (type == "ERROR") {
        take_error(*object);
    } else {
        take_event(type, *object);
    }
}

void ResourceWatch::take_error(const wire::JsonValue& status) {
    const ApiStatus read = read_status(status);
    last_error_ = std::to_string(read.code) + ' ' + read.message;
    ending_ = {Ending::How::told, read.code, read.retry_after, false};
    is_over_ = true;
}

void ResourceWatch::take_event(std::string_view type, const wire::JsonValue& object) {
    const Standing before = state_.standing();
    const auto metadata = object.find("metadata");
    state_.event(metadata ? text_of(*metadata, "resourceVersion") : "");
    ++events_;
    tell(before);
    bool is_other = false;
    if (type != "BOOKMARK") {
        auto read = object_text(object, kind().api_version(state_.version()), kind().name);
        if (!read) return;
        if (type == "DELETED") {
            remove(*read);
        } else {
            leaving_.erase(object_name(kind().name, read->name_space, read->name));
            is_other = known_.put(std::move(*read));
        }
    }
    if (is_other || before != state_.standing()) options_.on_change(is_other);
}

void ResourceWatch::watch_ended(const ApiAnswer& answer) {
    const Standing before = state_.standing();
    Ending ending;
    if (is_over_) {
        ending = ending_;
    } else if (!answer.ok()) {
        ending = ending_of(answer);
        last_error_ = words_of(answer);
    }
    ending.was_quick = std::chrono::steady_clock::now() - watch_began_ < kQuick;
    const Step step = state_.watch_ended(ending, random());
    tell(before);
    go_on(step);
    if (before != state_.standing()) options_.on_change(false);
}

// Whether its kind is being removed with it is known soon.
void ResourceWatch::remove(const ObjectText& object) {
    const std::string name = object_name(kind().name, object.name_space, object.name);
    const auto found = known_.objects().find(name);
    if (found == known_.objects().end()) return;
    const auto now = std::chrono::steady_clock::now();
    if (leaving_.empty()) first_left_ = now;
    leaving_[name] = found->second;
    known_.remove(object);
    if (!is_held_) leave_after(std::min<SteadyTime>(now + kLeaving, first_left_ + kMostLeaving));
}

// What the server knows no more goes on being served until then.
void ResourceWatch::leave_after(SteadyTime end) {
    departure_.expires_at(end);
    departure_.async_wait([this, still = alive_](const boost::system::error_code& error) {
        if (error || !*still || leaving_.empty()) return;
        if (is_held_) {
            log_.warn("the objects of a kind that is not installed any more are dropped",
                      {{"kind", kind().name}, {"objects", leaving_.size()}});
        }
        stay();
        options_.on_change(true);
    });
}

void ResourceWatch::stay() {
    leaving_.clear();
    is_held_ = false;
    departure_.cancel();
}

void ResourceWatch::hold_removed_kind() {
    ObjectMap all = known_.objects();
    all.merge(leaving_);
    leaving_ = std::move(all);
    known_.clear();
    if (leaving_.empty()) return;
    is_held_ = true;
    leave_after(std::chrono::steady_clock::now() + options_.timeouts.kubernetes_hold);
    log_.warn("a kind is not installed any more: its objects go on serving for a while",
              {{"kind", kind().name},
               {"objects", leaving_.size()},
               {"milliseconds", options_.timeouts.kubernetes_hold.count()}});
}

void ResourceWatch::add_objects(ObjectMap& objects) const {
    objects.insert(known_.objects().begin(), known_.objects().end());
    objects.insert(leaving_.begin(), leaving_.end());
}

void ResourceWatch::tell(Standing before) {
    const Standing now = state_.standing();
    if (now == before) return;
    const std::string_view scope = options_.selection.name_space.empty()
                                       ? "all namespaces"
                                       : std::string_view(options_.selection.name_space);
    const bool are_read_singly = kind().is_named && options_.object_name.empty();
    if (now == Standing::forbidden && are_read_singly) {
        log_.info("objects of a kind are read one by one: the API server refuses all of them",
                  {{"kind", kind().name}, {"namespace", scope}});
    } else if (now == Standing::forbidden) {
        log_.error("the API server refuses objects of a kind: this process's role lacks a rule",
                   {{"kind", kind().name},
                    {"namespace", scope},
                    {"rule", role_rule(kind(), options_.object_name)},
                    {"error", last_error_}});
    } else if (now == Standing::away) {
        log_.warn("the API server does not answer: what it said last stays in force",
                  {{"kind", kind().name}, {"namespace", scope}, {"error", last_error_}});
    } else if (now == Standing::not_installed) {
        log_.info("a kind is not installed in the cluster",
                  {{"kind", kind().name}, {"group", kind().group}});
    } else if (before != Standing::starting) {
        log_.info("the API server answers again", {{"kind", kind().name}, {"namespace", scope}});
        if (options_.on_return) options_.on_return();
    }
}

}  // namespace rotary::kubernetes
