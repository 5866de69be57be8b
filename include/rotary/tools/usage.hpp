#pragma once

#include <rotary/quota/spend.hpp>

#include <cstdint>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

// `rotary usage`: what was used and what it cost, from the ledger, for spreadsheets and for those
// who do the accounts.
namespace rotary::tools {

// Comma separated values: sums by what is asked for, in the order of its names.
class UsageTable {
public:
    // `by`: "consumer,model,day". None: `error` says why.
    static std::optional<UsageTable> by(std::string_view names, std::string& error);
    void add(const quota::SpendKey& key, const quota::Spend& spend);
    void write(std::ostream& out, std::string_view currency) const;

private:
    std::vector<std::size_t> columns_;
    std::map<std::vector<std::string>, quota::Spend> sums_;
};

// FOCUS 1.2, a line for each sum of the ledger (focus.finops.org).
void write_focus_head(std::ostream& out);
void write_focus_line(std::ostream& out, const quota::SpendKey& key, const quota::Spend& spend,
                      std::string_view currency);

// "2026-11-29", UTC: the hour in which the day begins. None for what is no date.
std::optional<std::int64_t> first_hour_of(std::string_view date);

void add_usage_command(CLI::App& app, int& exit_code);

}  // namespace rotary::tools
