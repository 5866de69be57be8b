#include "tools/fleet_spend.hpp"

#include <rotary/base/clock.hpp>
#include <rotary/cli/command.hpp>
#include <rotary/config/load.hpp>
#include <rotary/control/ledger_file.hpp>
#include <rotary/fleet/spend_words.hpp>
#include <rotary/tools/usage.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>

namespace rotary::tools {

namespace {

struct Options {
    std::string config;
    std::string ledger;
    std::string format = "csv";
    std::string by;
    std::string since;
    std::string until;
    bool fleet = false;
};

constexpr std::int64_t kQuartersOfDay = quota::QuarterHours(std::chrono::days(1)).count();
constexpr std::int64_t kHoursOfDay = 24;
constexpr const char* kUsualColumns = "consumer,model,day";

int misused(const std::string& why) {
    std::cerr << "rotary usage: " << why << "\n";
    return 2;
}

// The quarters of an hour that are asked for; false: a date is none.
bool times_of(const Options& options, std::int64_t& from, std::int64_t& to) {
    from = std::numeric_limits<std::int64_t>::min();
    to = std::numeric_limits<std::int64_t>::max();
    if (!options.since.empty()) {
        const auto first = first_quarter_hour_of(options.since);
        if (!first) return false;
        from = *first;
    }
    if (!options.until.empty()) {
        const auto first = first_quarter_hour_of(options.until);
        if (!first) return false;
        to = *first + kQuartersOfDay;
    }
    return true;
}

// Without a table: FOCUS.
void print(control::LedgerFile& file, UsageTable* table, std::int64_t from, std::int64_t to) {
    if (table == nullptr) {
        FocusTable focus(std::cout, file.currency());
        file.read(from, to, [&](const quota::SpendKey& key, const quota::Spend& spend) {
            focus.add(key, spend);
        });
        focus.end();
        return;
    }
    file.read(from, to, [&](const quota::SpendKey& key, const quota::Spend& spend) {
        table->add(key, spend);
    });
    table->write(std::cout, file.currency());
}

// The same of what the replicas have told their Redis, whose days are whole.
void print_fleet(const config::Config& config, UsageTable* table, const Days& days) {
    std::optional<FocusTable> focus;
    if (table == nullptr) focus.emplace(std::cout, config.budgets.currency, kHoursOfDay);
    const std::size_t rows = read_fleet_spend(config, days, [&](const control::DaySum& sum) {
        quota::SpendKey key;
        key.quarter_hour = sum.day * kQuartersOfDay;
        for (std::size_t i = 0; i < key.names.size(); ++i) key.names[i] = sum.names[i];
        if (focus) focus->add(key, sum.spend);
        if (table != nullptr) table->add(key, sum.spend);
    });
    if (focus) focus->end();
    if (table != nullptr) table->write(std::cout, config.budgets.currency);
    std::cout.flush();
    if (rows != 0) return;
    std::cerr << "rotary usage: no replica of " << config.state.redis->name_space
              << " has told of spending on these days; one without budgets.ledger tells of none\n";
}

// The days that are kept of those that are asked for; it is told that others are not.
Days days_of(std::int64_t from, std::int64_t to, bool is_since) {
    const auto today = std::chrono::floor<std::chrono::days>(wall_now()).time_since_epoch().count();
    const bool is_last = to == std::numeric_limits<std::int64_t>::max();
    const Days asked{from / kQuartersOfDay, is_last ? today + 1 : to / kQuartersOfDay - 1};
    const Days kept = kept_of(asked, today, fleet::kSpendDays);
    if (is_since && kept.first > asked.first) {
        std::cerr << "rotary usage: a fleet's Redis keeps " << fleet::kSpendDays
                  << " days; of what was before, the replicas' ledgers tell\n";
    }
    return kept;
}

int usage_of_fleet(const Options& options, UsageTable* table, std::int64_t from, std::int64_t to) {
    const config::Loaded loaded = config::load(options.config, config::process_environment());
    if (!loaded.config.state.redis) {
        if (config::has_errors(loaded.findings)) std::cerr << config::to_text(loaded.findings);
        std::cerr << "rotary usage: " << options.config
                  << " is of no fleet: state.redis.url names no Redis\n";
        return 1;
    }
    print_fleet(loaded.config, table, days_of(from, to, !options.since.empty()));
    return 0;
}

int usage_of_ledger(Options options, UsageTable* table, std::int64_t from, std::int64_t to) {
    if (!options.config.empty()) {
        const config::Loaded loaded = config::load(options.config, config::process_environment());
        options.ledger = loaded.config.budgets.ledger;
        if (options.ledger.empty()) {
            std::cerr << "rotary usage: " << options.config
                      << " keeps no ledger: budgets.ledger names no file\n";
            return 1;
        }
    }
    control::LedgerFile file(options.ledger);
    print(file, table, from, to);
    return 0;
}

// What is wrong with how it was asked; empty: nothing.
std::string misuse_of(const Options& options) {
    if (options.ledger.empty() == options.config.empty()) {
        return "either --config or --ledger says where the ledger is";
    }
    if (options.fleet && options.config.empty()) {
        return "--fleet is of the replicas that --config names a Redis of";
    }
    if (options.format == "focus" && !options.by.empty()) {
        return "--by is for --format csv: FOCUS says what stands in a line";
    }
    const std::string columns = "," + options.by + ",";
    if (options.fleet && columns.find(",hour,") != columns.npos) {
        return "--by hour is of one ledger: a fleet's spend is kept by the day";
    }
    return "";
}

int usage(const Options& options) {
    std::int64_t from = 0;
    std::int64_t to = 0;
    if (const std::string why = misuse_of(options); !why.empty()) return misused(why);
    if (!times_of(options, from, to)) {
        return misused("--since and --until take a date such as 2026-11-29");
    }
    std::string error;
    auto table = UsageTable::by(options.by.empty() ? kUsualColumns : options.by, error);
    if (!table) return misused("--by: " + error);
    UsageTable* const printed = options.format == "focus" ? nullptr : &*table;
    int code = 0;
    try {
        code = options.fleet ? usage_of_fleet(options, printed, from, to)
                             : usage_of_ledger(options, printed, from, to);
    } catch (const std::exception& failure) {
        std::cerr << "rotary usage: " << failure.what() << "\n";
        return 3;
    }
    std::cout.flush();
    return std::cout.good() ? code : 3;
}

}  // namespace

void add_usage_command(cli::Command& root) {
    auto options = std::make_shared<Options>();
    cli::Command command =
        root.command("usage", "Prints what was used and what it cost, from the ledger");
    command.option("-c,--config", options->config, "rotary.yaml, whose budgets.ledger it is");
    command.option("--ledger", options->ledger, "the ledger's file itself");
    command.flag("--fleet", options->fleet,
                 "of all replicas: what they have told the Redis of state.redis, by the day");
    command.option("--format", options->format, "csv, or focus (FOCUS 1.2)")
        .one_of({"csv", "focus"});
    command.option("--by", options->by,
                   std::string("csv: what to sum by, of consumer, api, environment, provider, "
                               "model, backend, hour, day, month; ") +
                       kUsualColumns + " if not said");
    command.option("--since", options->since, "the first day, such as 2026-11-01, UTC");
    command.option("--until", options->until, "the last day");
    command.notes(
        "It may run while the gateway writes. Exit code 0: printed; 1: no ledger is\n"
        "configured, or no Redis; 2: bad usage; 3: the ledger, or the Redis, can't be read.");
    command.runs([options] { return usage(*options); });
}

}  // namespace rotary::tools
