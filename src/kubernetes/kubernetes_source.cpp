#include "kubernetes/kubernetes_source.hpp"

#include <rotary/config/objects.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace rotary::kubernetes {

namespace {

using std::chrono::milliseconds;

bool is_of(std::string_view object, const Kind& kind) {
    return object.starts_with(kind.name) && object.substr(kind.name.size()).starts_with(' ');
}

bool is_named_kind(std::string_view object) {
    return is_of(object, secret_kind()) || is_of(object, config_map_kind());
}

config::ObjectDocument document_of(const std::string& name, const KnownObject& object) {
    return {name, object.text, node_of(object.text)};
}

// Where the loader finds them.
config::Objects objects_of(const ObjectMap& map) {
    config::Objects objects;
    objects.each = [&map](const std::function<void(const config::ObjectDocument&)>& visit) {
        for (const auto& [name, object] : map) {
            if (!is_named_kind(name)) visit(document_of(name, *object));
        }
    };
    objects.find = [&map](const config::NamedObject& wanted) {
        const Kind& kind =
            wanted.kind == config::NamedObject::Kind::secret ? secret_kind() : config_map_kind();
        const bool is_elsewhere = wanted.name.find('/') != std::string::npos;
        const auto found = map.find(
            object_name(kind.name, is_elsewhere ? "" : config::kDefaultNamespace, wanted.name));
        if (found == map.end()) return std::optional<config::ObjectDocument>();
        return std::optional(document_of(found->first, *found->second));
    };
    return objects;
}

// In a cluster the name of the pod.
std::string host_name() {
    std::array<char, 256> name{};
    return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::string line_of(const config::Finding& finding) {
    return (finding.path.empty() ? "" : finding.path + ": ") + finding.message;
}

}  // namespace

KubernetesSource::KubernetesSource(boost::asio::io_context& control, Logger& log,
                                   control::SourceOptions options, const config::Loaded& first)
    : log_(log),
      options_(std::move(options)),
      settle_(first.config.timeouts.kubernetes_settle),
      file_(control::open_source(control, log, file_options(), first)),
      access_(first.config.kubernetes, options_.environment),
      client_(control, resolver_, access_),
      watches_(client_, log, first.config, [this](bool other_objects) { changed(other_objects); }),
      statuses_(control, client_, log, host_name()),
      timer_(control),
      fingerprint_(first.fingerprint) {
    away_since_ = std::chrono::steady_clock::now();
    log_.info("resources come from an API server", {{"server", access_.url().authority}});
}

control::SourceOptions KubernetesSource::file_options() {
    control::SourceOptions options;
    options.config_path = options_.config_path;
    options.environment = options_.environment;
    options.accept_unserved = options_.accept_unserved;
    options.on_change = [this](const config::Loaded&) { options_.on_change(load()); };
    return options;
}

config::Loaded KubernetesSource::load() {
    config::Loaded now = file_->load();
    if (!has_spoken_) return now;
    now = compose();
    if (asks_for_more_) {
        now.findings.push_back(config::error_at(
            {options_.config_path, 0, 0, "kubernetes"},
            "objects refer to Secrets or ConfigMaps that the API server is still asked for: what "
            "is in force stays until they are there"));
    }
    return now;
}

void KubernetesSource::took_force() {
    file_->took_force();
    good_ = read_;
    ++adopting_;
}

void KubernetesSource::in_force_everywhere() {
    if (--adopting_ == 0 && has_spoken_) statuses_.tell(judged_);
}

void KubernetesSource::watch(milliseconds settle) {
    is_watching_ = true;
    file_->watch(settle);
}

void KubernetesSource::stop_watching() noexcept {
    is_watching_ = false;
    file_->stop_watching();
}

// Told of once it has been quiet for a while, and of changes that never end too.
void KubernetesSource::changed(bool other_objects) {
    const auto now = std::chrono::steady_clock::now();
    if (watches_.trouble().empty()) {
        away_since_.reset();
    } else if (!away_since_) {
        away_since_ = now;
    }
    if (!other_objects && has_spoken_ && !asks_for_more_) return;
    if (!latest_) latest_ = now + kLongestSettling * settle_;
    timer_.expires_at(std::min<SteadyTime>(now + settle_, *latest_));
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error || !latest_) return;
        latest_.reset();
        look_again();
    });
}

void KubernetesSource::look_again() {
    const bool may_speak = is_watching_ || !has_spoken_;
    if (!may_speak || !watches_.is_complete()) return;
    const std::string before = fingerprint_;
    config::Loaded now = compose();
    if (asks_for_more_) return;  // which changed() hears of
    const bool is_first = !std::exchange(has_spoken_, true);
    if (!is_first && now.fingerprint == before) {
        statuses_.tell(judged_);  // of an object that is left out nothing comes into force
        return;
    }
    log_.info("the cluster's objects have changed", {{"objects", read_.size()}});
    options_.on_change(std::move(now));
}

config::Loaded KubernetesSource::compose() {
    referred_.clear();
    const ObjectMap objects = watches_.objects();
    Settled settled =
        settle(objects, good_, [this](const ObjectMap& chosen) { return attempt(chosen); });
    asks_for_more_ = watches_.want({referred_.begin(), referred_.end()});
    if (asks_for_more_) return std::move(settled.loaded);
    if (settled.loaded.ok()) judged_ = judge(objects, settled);
    note_held(settled);
    fingerprint_ = settled.loaded.fingerprint;
    if (settled.loaded.ok()) {
        read_ = std::move(settled.chosen);
        watches_.configure(settled.loaded.config);
        settle_ = settled.loaded.config.timeouts.kubernetes_settle;
    }
    return std::move(settled.loaded);
}

// Mistakes that only compiling finds are an object's as well.
config::Loaded KubernetesSource::attempt(const ObjectMap& objects) {
    config::LoadedObjects made = config::load_objects(
        options_.config_path, options_.environment, options_.accept_unserved, objects_of(objects));
    referred_.insert(made.referred.begin(), made.referred.end());
    if (!made.loaded.ok()) return std::move(made.loaded);
    for (config::Finding& finding : options_.judge(made.loaded)) {
        const bool is_error = finding.severity == config::Severity::error;
        if (is_error) made.loaded.findings.push_back(std::move(finding));
    }
    return std::move(made.loaded);
}

// What is new about it is told, and what is over; the findings go on as warnings, for the rest is
// right.
void KubernetesSource::note_held(Settled& settled) {
    std::map<std::string, std::string> findings;
    for (config::Finding& finding : settled.findings) {
        findings.emplace(finding.file, line_of(finding));
        if (!settled.loaded.ok()) continue;
        finding.severity = config::Severity::warning;
        settled.loaded.findings.push_back(std::move(finding));
    }
    for (const auto& [object, serves] : settled.held) {
        const std::string& finding = findings[object];
        const auto before = held_.find(object);
        const bool is_known =
            before != held_.end() && before->second == serves && held_findings_[object] == finding;
        if (is_known) continue;
        log_.warn("an object is not served as the cluster has it",
                  {{"object", object}, {"in_force", serves}, {"finding", finding}});
    }
    for (const auto& [object, serves] : held_) {
        if (!settled.held.contains(object)) {
            log_.info("an object is served as the cluster has it again", {{"object", object}});
        }
    }
    held_ = std::move(settled.held);
    held_findings_ = std::move(findings);
}

std::chrono::seconds KubernetesSource::away_for() const {
    if (!away_since_) return std::chrono::seconds(0);
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() -
                                                            *away_since_);
}

control::Source::Standing KubernetesSource::standing() const {
    Standing standing;
    const std::string trouble = watches_.trouble();
    standing.is_ready = has_spoken_;
    if (!has_spoken_) standing.reason = "waiting for the API server: " + trouble;
    const std::string state =
        trouble.empty() ? "connected"
                        : "away for " + std::to_string(away_for().count()) + " s: " + trouble;
    standing.checks.emplace_back("kubernetes", state);
    standing.checks.emplace_back("held objects", std::to_string(held_.size()));
    return standing;
}

std::unique_ptr<control::Source> open_source(boost::asio::io_context& control, Logger& log,
                                             control::SourceOptions options,
                                             const config::Loaded& first) {
    return std::make_unique<KubernetesSource>(control, log, std::move(options), first);
}

}  // namespace rotary::kubernetes
