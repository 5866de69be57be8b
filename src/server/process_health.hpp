#pragma once

#include <rotary/admin/admin.hpp>
#include <rotary/admin/live_rates.hpp>
#include <rotary/control/jwks.hpp>
#include <rotary/control/key_ring.hpp>
#include <rotary/control/source.hpp>

#include "server/certificate_ends.hpp"
#include "server/fleet_part.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rotary::server {

// How the process stands, for probes and operators.
struct ProcessStatus {
    bool bound = false;  // it listens
    bool draining = false;
    std::string last_reload;
    bool last_reload_ok = true;
    std::chrono::seconds config_age{0};
    std::uint64_t in_flight = 0;
    std::uint64_t generation = 0;
    std::size_t workers = 0;
    std::chrono::seconds uptime{0};
    std::vector<std::string> waiting_for_restart;  // names of settings
    std::vector<CertificateEnds::End> certificates;
    std::optional<FleetStanding> fleet;  // none: this process is alone
    WallTime now{};
    const control::Source* source = nullptr;  // null: none
};

// A line for every token issuer, `fetched` being what was fetched for each. Not ok: one has yet to
// get its first keys, and time for it.
admin::Health health_of_keys(const std::vector<control::KeyRing::Standing>& issuers,
                             const std::vector<control::JwksStatus>& fetched);

// Whether a worker's loop has stopped turning, as long as `patience` says.
admin::Health liveness(bool workers_turn, std::chrono::seconds patience);

// Whether new clients are welcome.
admin::Health readiness(const ProcessStatus& status, admin::Health keys);

std::string status_json(const ProcessStatus& status, const admin::LiveRates& rates);

}  // namespace rotary::server
