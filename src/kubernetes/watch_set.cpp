#include "kubernetes/watch_set.hpp"

#include <algorithm>
#include <utility>

namespace rotary::kubernetes {

namespace {

using Standing = WatchState::Standing;

// Charts keep their releases in Secrets, up to 1 MiB each, and nothing refers to those.
constexpr const char* kUsefulSecrets =
    "type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token";

struct Place {
    std::string name_space, name;
};

Place place_of(const std::string& identity) {
    const std::size_t slash = identity.find('/');
    if (slash == std::string::npos) return {config::kDefaultNamespace, identity};
    return {identity.substr(0, slash), identity.substr(slash + 1)};
}

const Kind& kind_of(const config::NamedObject& object) {
    return object.kind == config::NamedObject::Kind::secret ? secret_kind() : config_map_kind();
}

// Of a Secret or ConfigMap that this process may not read there is nothing to wait for.
bool is_settled(const ResourceWatch& watch) {
    const bool is_refused =
        watch.kind().is_named && watch.state().standing() == Standing::forbidden;
    return watch.state().is_complete() || is_refused;
}

bool is_in_trouble(const ResourceWatch& watch) {
    const Standing standing = watch.state().standing();
    if (standing == Standing::forbidden) return !watch.kind().is_named;
    return standing == Standing::away || standing == Standing::starting;
}

}  // namespace

WatchSet::WatchSet(ApiClient& client, Logger& log, const config::Config& config,
                   std::function<void(bool other_objects)> on_change)
    : client_(client),
      log_(log),
      timeouts_(config.timeouts),
      limits_(config.limits),
      label_selector_(config.kubernetes.label_selector),
      on_change_(std::move(on_change)),
      namespaces_(config.kubernetes.namespaces) {
    if (namespaces_.empty()) namespaces_ = {client.access().name_space()};
    if (namespaces_.front() == "*") namespaces_ = {""};
    for (const std::string& name_space : namespaces_) {
        for (const Kind& kind : kinds()) {
            watches_.push_back(std::make_unique<ResourceWatch>(client_.context(), client_, log_,
                                                               options_for(kind, name_space)));
        }
    }
}

ResourceWatch::Options WatchSet::options_for(const Kind& kind,
                                             const std::string& name_space) const {
    ResourceWatch::Options options;
    options.kind = &kind;
    options.selection.name_space = name_space;
    if (!kind.is_named) options.selection.label_selector = label_selector_;
    if (&kind == &secret_kind()) options.selection.field_selector = kUsefulSecrets;
    options.timeouts = timeouts_;
    options.limits = limits_;
    options.on_change = on_change_;
    options.on_return = [this] { each([](ResourceWatch& watch) { watch.hurry(); }); };
    return options;
}

template <class Visit>
void WatchSet::each(const Visit& visit) const {
    for (const auto& watch : watches_) visit(*watch);
    for (const Named& named : named_) visit(*named.watch);
}

void WatchSet::configure(const config::Config& config) {
    timeouts_ = config.timeouts;
    limits_ = config.limits;
    for (const auto& watch : watches_) watch->configure(config);
    for (const Named& named : named_) named.watch->configure(config);
}

bool WatchSet::is_complete() const {
    bool complete = true;
    each([&](const ResourceWatch& watch) { complete = complete && is_settled(watch); });
    return complete;
}

ObjectMap WatchSet::objects() const {
    ObjectMap objects;
    each([&](const ResourceWatch& watch) { watch.add_objects(objects); });
    return objects;
}

const ResourceWatch* WatchSet::wide(const Kind& kind, const std::string& name_space) const {
    for (const auto& watch : watches_) {
        const std::string& in = watch->selection().name_space;
        if (&watch->kind() == &kind && (in.empty() || in == name_space)) return watch.get();
    }
    return nullptr;
}

bool WatchSet::is_wanted(const Named& named,
                         const std::vector<config::NamedObject>& referred) const {
    return std::find(referred.begin(), referred.end(), named.object) != referred.end();
}

bool WatchSet::want(const std::vector<config::NamedObject>& referred) {
    std::erase_if(named_, [&](const Named& named) {
        if (is_wanted(named, referred)) return false;
        past_events_ += named.watch->events();
        return true;
    });
    for (const config::NamedObject& object : referred) {
        const bool is_there = std::any_of(named_.begin(), named_.end(),
                                          [&](const Named& one) { return one.object == object; });
        const Place place = place_of(object.name);
        const ResourceWatch* const all = wide(kind_of(object), place.name_space);
        const bool is_narrow = all != nullptr && !all->state().is_complete() &&
                               all->state().standing() == Standing::forbidden;
        if (is_there || !is_narrow) continue;
        ResourceWatch::Options options = options_for(kind_of(object), place.name_space);
        options.object_name = place.name;
        options.selection.field_selector = "metadata.name=" + place.name;
        named_.push_back({object, std::make_unique<ResourceWatch>(client_.context(), client_, log_,
                                                                  std::move(options))});
    }
    return !is_complete();
}

std::uint64_t WatchSet::events() const {
    std::uint64_t sum = past_events_;
    each([&](const ResourceWatch& watch) { sum += watch.events(); });
    return sum;
}

std::string WatchSet::trouble() const {
    std::vector<std::string> names;
    std::string error;
    each([&](const ResourceWatch& watch) {
        const std::string name(watch.kind().name);
        if (!is_in_trouble(watch)) return;
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
        if (!watch.last_error().empty()) error = watch.last_error();
    });
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return error.empty() ? text : text + ": " + error;
}

}  // namespace rotary::kubernetes
