#pragma once

#include "kubernetes/held_objects.hpp"
#include "kubernetes/judged.hpp"
#include "kubernetes/status_writer.hpp"
#include "kubernetes/watch_set.hpp"

#include <rotary/control/source.hpp>
#include <rotary/kubernetes/source.hpp>
#include <rotary/net/resolver.hpp>

#include <boost/asio/steady_timer.hpp>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace rotary::kubernetes {

// rotary.yaml from its file, and the resources from an API server.
class KubernetesSource : public control::Source {
public:
    // As open_source() says.
    KubernetesSource(boost::asio::io_context& control, Logger& log, control::SourceOptions options,
                     const config::Loaded& first);

    config::Loaded load() override;
    void took_force() override;
    void in_force_everywhere() override;
    void watch(std::chrono::milliseconds settle) override;
    void stop_watching() noexcept override;
    Standing standing() const override;
    void write(wire::JsonWriter& json) const override;
    void sample(metrics::Exposition& out) const override;

private:
    static constexpr int kLongestSettling = 10;  // times the pause, when changes never end

    control::SourceOptions file_options();
    void changed(bool other_objects);
    void look_again();
    config::Loaded compose();
    config::Loaded attempt(const ObjectMap& objects);
    void note_held(Settled& settled);
    std::chrono::seconds away_for() const;

    Logger& log_;
    const control::SourceOptions options_;
    std::chrono::milliseconds settle_;
    std::unique_ptr<control::Source> file_;
    net::Resolver resolver_;  // the API server may have a name; its own, for it goes before workers
    ClusterAccess access_;
    ApiClient client_;
    WatchSet watches_;
    StatusWriter statuses_;
    boost::asio::steady_timer timer_;
    std::optional<SteadyTime> latest_;  // when what is pending is told of
    std::optional<SteadyTime> away_since_;
    bool is_watching_ = true;
    bool has_spoken_ = false;     // of a complete set
    bool asks_for_more_ = false;  // the objects refer to some that are yet to be listed
    std::string fingerprint_;     // of what was told last
    ObjectMap read_;              // what was told last was made of these…
    ObjectMap good_;              // …and what is in force of these
    std::map<std::string, std::string> held_;
    std::map<std::string, std::string> held_findings_;  // a line for each of them
    std::set<config::NamedObject> referred_;            // to, by any version that was tried
    std::vector<Judged> judged_;                        // what was told last, for the cluster
    int adopting_ = 0;  // configurations that some worker may not have yet
};

}  // namespace rotary::kubernetes
