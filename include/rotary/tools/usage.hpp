#pragma once

#include <rotary/quota/spend.hpp>

#include <array>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::cli {
class Command;
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

// FOCUS 1.2 (focus.finops.org): a line for each hour and whatever else the ledger sums by.
class FocusTable {
public:
    // `hours`: that a line is of, which what is added begins with.
    FocusTable(std::ostream& out, std::string_view currency, std::int64_t hours = 1);
    // In the ledger's order: an hour is written when the next one begins, or at the end.
    void add(const quota::SpendKey& key, const quota::Spend& spend);
    void end();

private:
    using Names = std::array<std::string, quota::SpendKey::kNames>;
    void write_line(const Names& names, const quota::Spend& spend);

    std::ostream& out_;
    std::string currency_;
    std::int64_t hours_;
    std::int64_t hour_ = 0;  // since 1970, UTC
    std::map<Names, quota::Spend> sums_;
};

// "2026-11-29", UTC: with which quarter of an hour the day begins. None for what is no date.
std::optional<std::int64_t> first_quarter_hour_of(std::string_view date);

void add_usage_command(cli::Command& root);

}  // namespace rotary::tools
