#include "kubernetes/status_writer.hpp"

#include "kubernetes/object_text.hpp"
#include "kubernetes/status_text.hpp"

#include <rotary/wire/json_document.hpp>

#include <random>

namespace rotary::kubernetes {
namespace {

constexpr std::chrono::seconds kDeadline{10};
constexpr std::size_t kObjectBytes = std::size_t{4} << 20U;
constexpr const char* kNoAnswer = "no answer";

double random_share() {
    std::random_device device;
    return std::uniform_real_distribution<double>(0, 1)(device);
}

std::string events_target(const std::string& name_space) {
    return "/apis/events.k8s.io/v1/namespaces/" + name_space + "/events";
}

}  // namespace

StatusWriter::StatusWriter(boost::asio::io_context& control, ApiClient& client, Logger& log,
                           std::string instance)
    : timer_(control), client_(client), log_(log), instance_(std::move(instance)) {}

void StatusWriter::tell(std::vector<Judged> objects) {
    plan_.tell(std::move(objects), std::chrono::steady_clock::now(), random_share());
    wait();
}

void StatusWriter::wait() {
    if (in_hand_) {
        return;
    }
    const std::optional<SteadyTime> next = plan_.next();
    if (!next) {
        timer_.cancel();
        return;
    }
    timer_.expires_at(*next);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) {
            begin();
        }
    });
}

void StatusWriter::begin() {
    in_hand_ = plan_.take(std::chrono::steady_clock::now());
    if (!in_hand_) {
        wait();
    } else if (has_status(*in_hand_)) {
        look();
    } else {
        gather_events();
        post_next();
    }
}

void StatusWriter::look() {
    ApiRequest request;
    request.target = in_hand_->target;
    request.deadline = kDeadline;
    request.is_of_burst = true;
    request.body_bytes = kObjectBytes;
    call_ =
        client_.request(std::move(request), [this](const ApiAnswer& answer) { looked(answer); });
}

void StatusWriter::looked(const ApiAnswer& answer) {
    if (!answer.ok()) {
        end(result_of(answer, "read"));
        return;
    }
    const Regarded& object = in_hand_->object;
    const auto document = wire::JsonDocument::parse(answer.body, {kObjectDepth, kObjectBytes});
    const auto now =
        document ? object_text(document->root(), object.api_version, object.kind) : std::nullopt;
    // Another version than the one that is spoken of: the watch brings it, and its turn comes.
    if (!now || now->uid != object.uid || now->text != *in_hand_->text) {
        end(Result::said);
        return;
    }
    const bool is_route = object.kind == "HTTPRoute";
    const std::string time = whole_seconds(wall_now());
    auto patch = (is_route ? route_status : api_status)(document->root(), in_hand_->verdict, time);
    if (patch) {
        write(std::move(*patch));
        return;
    }
    if (is_route && !names_parents(document->root())) {
        gather_events();
    }
    post_next();
}

void StatusWriter::write(std::string patch) {
    ApiRequest request;
    request.method = "PATCH";
    request.target = in_hand_->target + "/status";
    request.content_type = "application/merge-patch+json";
    request.body = std::move(patch);
    request.deadline = kDeadline;
    request.is_of_burst = true;
    request.body_bytes = kObjectBytes;
    call_ = client_.request(std::move(request), [this](const ApiAnswer& answer) {
        counts_.patches += answer.ok() ? 1U : 0U;
        end(result_of(answer, "patch the status of"));
    });
}

void StatusWriter::gather_events() {
    const SteadyTime now = std::chrono::steady_clock::now();
    const WallTime time = wall_now();
    for (const config::Finding& finding : in_hand_->verdict.findings) {
        std::string what = in_hand_->target + '\n' + finding.path + '\n' + finding.message;
        if (!said_.knows(what, now)) {
            events_.push_back(
                {std::move(what), event_of(in_hand_->object, finding, instance_, time).body});
        }
    }
}

void StatusWriter::post_next() {
    if (events_.empty()) {
        end(Result::said);
        return;
    }
    ApiRequest request;
    request.method = "POST";
    request.target = events_target(in_hand_->object.name_space);
    request.content_type = "application/json";
    request.body = events_.back().body;
    request.deadline = kDeadline;
    request.is_of_burst = true;
    call_ = client_.request(std::move(request), [this](const ApiAnswer& answer) {
        counts_.events += answer.ok() ? 1U : 0U;
        // 409: another replica has said it.
        if (!answer.ok() && answer.status != 409) {
            end(result_of(answer, "post an event of"));
            return;
        }
        said_.keep(events_.back().what, std::chrono::steady_clock::now());
        events_.pop_back();
        post_next();
    });
}

StatusWriter::Result StatusWriter::result_of(const ApiAnswer& answer, const char* doing) {
    if (answer.error.empty()) {
        told_refusals_.erase(kNoAnswer);
    }
    if (answer.ok()) {
        return Result::said;
    }
    if (answer.status == 404) {
        return Result::gone;
    }
    if (answer.status == 409) {
        return Result::conflict;
    }
    ++counts_.refusals;
    const std::string why =
        answer.error.empty() ? "status " + std::to_string(answer.status) : answer.error;
    // A server that is away answers about none of them: one line for all.
    const std::string refusal =
        answer.error.empty() ? doing + (' ' + in_hand_->object.kind) + ": " + why : kNoAnswer;
    if (told_refusals_.insert(refusal).second) {
        log_.warn("the cluster is not told what has come of an object",
                  {{"doing", doing},
                   {"object", in_hand_->object.kind + ' ' + in_hand_->object.name_space + '/' +
                                  in_hand_->object.name},
                   {"error", why}});
    }
    return Result::failed;
}

void StatusWriter::end(Result result) {
    events_.clear();
    plan_.finish(*in_hand_, result, std::chrono::steady_clock::now());
    in_hand_.reset();
    wait();
}

}  // namespace rotary::kubernetes
