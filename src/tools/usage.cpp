#include <rotary/cli/command.hpp>
#include <rotary/config/load.hpp>
#include <rotary/control/ledger_file.hpp>
#include <rotary/tools/usage.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <limits>
#include <memory>

namespace rotary::tools {

namespace {

struct Options {
    std::string config;
    std::string ledger;
    std::string format = "csv";
    std::string by;
    std::string since;
    std::string until;
};

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
        constexpr std::int64_t kDay = quota::QuarterHours(std::chrono::days(1)).count();
        const auto first = first_quarter_hour_of(options.until);
        if (!first) return false;
        to = *first + kDay;
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

int usage(Options options) {
    if (options.ledger.empty() == options.config.empty()) {
        return misused("either --config or --ledger says where the ledger is");
    }
    std::int64_t from = 0;
    std::int64_t to = 0;
    if (!times_of(options, from, to)) {
        return misused("--since and --until take a date such as 2026-11-29");
    }
    const bool is_focus = options.format == "focus";
    if (is_focus && !options.by.empty()) {
        return misused("--by is for --format csv: FOCUS says what stands in a line");
    }
    std::string error;
    auto table = UsageTable::by(options.by.empty() ? kUsualColumns : options.by, error);
    if (!table) return misused("--by: " + error);
    if (!options.config.empty()) {
        const config::Loaded loaded = config::load(options.config, config::process_environment());
        options.ledger = loaded.config.budgets.ledger;
        if (options.ledger.empty()) {
            std::cerr << "rotary usage: " << options.config
                      << " keeps no ledger: budgets.ledger names no file\n";
            return 1;
        }
    }
    try {
        control::LedgerFile file(options.ledger);
        print(file, is_focus ? nullptr : &*table, from, to);
    } catch (const std::exception& failure) {
        std::cerr << "rotary usage: " << failure.what() << "\n";
        return 3;
    }
    std::cout.flush();
    return std::cout.good() ? 0 : 3;
}

}  // namespace

void add_usage_command(cli::Command& root) {
    auto options = std::make_shared<Options>();
    cli::Command command =
        root.command("usage", "Prints what was used and what it cost, from the ledger");
    command.option("-c,--config", options->config, "rotary.yaml, whose budgets.ledger it is");
    command.option("--ledger", options->ledger, "the ledger's file itself");
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
        "configured; 2: bad usage; 3: the ledger can't be read.");
    command.runs([options] { return usage(*options); });
}

}  // namespace rotary::tools
