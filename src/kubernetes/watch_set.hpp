#pragma once

#include "kubernetes/resource_watch.hpp"

#include <rotary/config/kinds/common.hpp>
#include <rotary/config/settings/settings.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rotary::kubernetes {

// All watches of one source: each kind in each namespace, and where this process may not read all
// Secrets or ConfigMaps of a namespace, those that are referred to, one by one. Control thread
// only.
class WatchSet {
public:
    // Begins at once. `on_change` as ResourceWatch calls it.
    WatchSet(ApiClient& client, Logger& log, const config::Config& config,
             std::function<void(bool other_objects)> on_change);

    // Whether all that is to be known is known: then it stays so, until want() asks for more.
    bool is_complete() const;
    ObjectMap objects() const;
    // The Secrets and ConfigMaps that are referred to. True: some of them are yet to be listed.
    bool want(const std::vector<config::NamedObject>& referred);

    void configure(const config::Config& config);  // limits and time-outs, from now on

    const std::vector<std::string>& namespaces() const noexcept { return namespaces_; }
    const std::vector<std::unique_ptr<ResourceWatch>>& watches() const noexcept { return watches_; }
    std::uint64_t events() const;
    // Why it is not complete, or not up to date: kinds and the last error. Empty: it is.
    std::string trouble() const;

private:
    struct Named {
        config::NamedObject object;
        std::unique_ptr<ResourceWatch> watch;
    };
    ResourceWatch::Options options_for(const Kind& kind, const std::string& name_space) const;
    const ResourceWatch* wide(const Kind& kind, const std::string& name_space) const;
    bool is_wanted(const Named& named, const std::vector<config::NamedObject>& referred) const;
    template <class Visit>
    void each(const Visit& visit) const;

    ApiClient& client_;
    Logger& log_;
    config::Timeouts timeouts_;
    config::Limits limits_;
    const std::string label_selector_;
    std::function<void(bool)> on_change_;
    std::vector<std::string> namespaces_;  // one that is empty: all
    std::vector<std::unique_ptr<ResourceWatch>> watches_;
    std::vector<Named> named_;
    std::uint64_t past_events_ = 0;  // of watches that are gone
};

}  // namespace rotary::kubernetes
