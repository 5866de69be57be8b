#pragma once

#include <rotary/admin/cost_of_today.hpp>
#include <rotary/base/clock.hpp>
#include <rotary/base/log.hpp>

#include <optional>
#include <string>

namespace rotary::server {

// What consumers spent from `day` on, as the ledger of that name has it; nothing where there is
// none. One that can't be read is told of. Reads a file: control thread.
std::optional<admin::CostOfToday::Sums> spend_since(const std::string& ledger, WallTime day,
                                                    Logger& log);

}  // namespace rotary::server
