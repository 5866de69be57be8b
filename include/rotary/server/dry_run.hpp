#pragma once

#include <rotary/config/load.hpp>
#include <rotary/proxy/explain.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::server {

// A configuration as a worker would have it, that listens nowhere and asks no provider: what it
// would do with a request is only told. One thread.
class DryRun {
public:
    // Appends what compiling finds. Throws std::runtime_error when the configuration can't be used.
    DryRun(const config::Loaded& loaded, std::vector<config::Finding>& findings);
    ~DryRun();
    DryRun(const DryRun&) = delete;
    DryRun& operator=(const DryRun&) = delete;

    // Takes an entry out, as an operator does. False: no list has an entry of that id.
    bool suspend(std::string_view entry_id);
    // Keys of issuers that lie in files are there at once. Those that must be fetched are, within
    // timeouts.jwks_fetch, when a token can't be judged without them.
    proxy::Explanation explain(const proxy::Asked& asked);

    const routing::Snapshot& snapshot() const noexcept;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace rotary::server
