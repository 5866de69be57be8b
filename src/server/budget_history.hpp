#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/base/log.hpp>
#include <rotary/routing/snapshot.hpp>

#include <string>

namespace rotary::server {

// Tells budgets whose counters are new what was spent of their open periods before, as the ledger
// of that name has it: by an earlier process, or before there was the budget. What can't be read is
// told, and the budget begins at nothing. Reads a file: control thread, before the snapshot is
// published.
void recall_budgets(const routing::Snapshot& snapshot, const std::string& ledger, WallTime now,
                    Logger& log);

}  // namespace rotary::server
