#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/base/log.hpp>
#include <rotary/control/ledger.hpp>
#include <rotary/routing/snapshot.hpp>

#include <memory>
#include <string>

namespace rotary::server {

// Tells budgets whose counters are new what was spent of their open periods before, as the ledger
// of that name has it: by an earlier process, or before there was the budget. What can't be read is
// told, and the budget begins at nothing. Reads a file: control thread, before the snapshot is
// published.
void recall_budgets(const routing::Snapshot& snapshot, const std::string& ledger, WallTime now,
                    Logger& log);

// Hands in the leases of budgets of which something was spent here in the open period, so that the
// fleet's Redis is told of it before a request asks for more: it may have forgotten, and what it is
// not told others spend once more. Where replicas share nothing there are none. `told`: also those
// that it was told of. Control thread.
void hand_in_budgets(const routing::Snapshot& snapshot, WallTime now, bool told);

// The name of that ledger among those of a fleet, made if it has none; empty: there is no ledger,
// or it can't be used, which is told. Reads and writes a file: control thread.
std::string journal_of(const std::string& ledger, const std::string& currency, Logger& log);

// Null: budgets have none. Throws control::LedgerRefused.
std::unique_ptr<control::Ledger> open_ledger(const config::Config& config, Logger& log);

}  // namespace rotary::server
