#pragma once

#include <rotary/config/load.hpp>
#include <rotary/routing/shared_state.hpp>
#include <rotary/routing/snapshot.hpp>

#include <memory>
#include <string>
#include <vector>

namespace rotary::server {

// Compiles configurations, and keeps what a source had compiled to see whether it is right: when
// that takes force, which is at once if at all, it is not compiled again. Owned by the Deployment;
// control thread only.
class Trial {
public:
    explicit Trial(routing::SharedState& shared) noexcept : shared_(shared) {}  // outlives it

    // What compiling finds.
    std::vector<config::Finding> judge(const config::Loaded& loaded);
    // As routing::compile(), of what was judged last if it reads the same.
    std::shared_ptr<const routing::Snapshot> compile(const config::Loaded& loaded,
                                                     std::vector<config::Finding>& findings);
    void forget() noexcept;  // what was judged and has not taken force

private:
    routing::SharedState& shared_;
    std::string fingerprint_;
    std::shared_ptr<const routing::Snapshot> snapshot_;  // null: nothing that could take force
    std::vector<config::Finding> findings_;              // of compiling it
};

}  // namespace rotary::server
