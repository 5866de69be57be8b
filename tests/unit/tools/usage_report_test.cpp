#include <rotary/tools/usage.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

namespace rotary::tools {
namespace {

// The last quarter of an hour of a year.
const std::int64_t kTime = *first_quarter_hour_of("2026-12-31") + 24 * 4 - 1;

quota::SpendKey key(std::string_view consumer, std::string_view model = "gpt-4o",
                    std::int64_t time = kTime) {
    quota::SpendKey made;
    made.quarter_hour = time;
    made.names = {consumer, "chat", "production", "OpenAI", model, "b"};
    return made;
}

quota::Spend spend(quota::Nanos nanos) {
    llm::Usage usage;
    usage.input = 1'000;
    usage.output = 50;
    usage.cached_read = 400;
    usage.cache_write = 1;
    usage.cache_write_long = 2;
    usage.reasoning = 5;
    usage.source = llm::UsageSource::told;
    return quota::Spend::of(usage, nanos);
}

std::string table_of(std::string_view by,
                     const std::vector<std::pair<quota::SpendKey, quota::Spend>>& rows) {
    std::string error;
    auto table = UsageTable::by(by, error);
    if (!table) return error;
    for (const auto& [one, spent] : rows) table->add(one, spent);
    std::ostringstream out;
    table->write(out, "USD");
    return out.str();
}

constexpr const char* kCounts =
    ",requests,unpriced_requests,estimated_requests,input_tokens,output_tokens,cached_tokens,"
    "cache_write_tokens,reasoning_tokens,cost,currency\r\n";

TEST(UsageTable, SumsByWhatIsAskedFor) {
    EXPECT_EQ(table_of("consumer,day", {{key("b"), spend(1)},
                                        {key("a", "gpt-4o"), spend(150'000)},
                                        {key("a", "o1", kTime - 4), spend(1'000'000'000)}}),
              std::string("consumer,day") + kCounts +
                  "a,2026-12-31,2,0,0,2000,100,800,6,10,1.00015,USD\r\n"
                  "b,2026-12-31,1,0,0,1000,50,400,3,5,0.000000001,USD\r\n");
}

TEST(UsageTable, KnowsEveryColumn) {
    EXPECT_EQ(table_of("month,hour,backend,model,provider,environment,api", {{key("a"), spend(0)}}),
              std::string("month,hour,backend,model,provider,environment,api") + kCounts +
                  "2026-12,2026-12-31T23:00:00Z,b,gpt-4o,OpenAI,production,chat,1,0,0,1000,50,400,"
                  "3,5,0.00,USD\r\n");
}

TEST(UsageTable, RefusesWhatIsNoColumn) {
    EXPECT_EQ(
        table_of("consumer,week", {}),
        "there is no \"week\"; there are consumer api environment provider model backend hour "
        "day month");
    EXPECT_EQ(table_of("", {}).substr(0, 14), "there is no \"\"");
    EXPECT_EQ(table_of("day,day", {}), "\"day\" is there twice");
    EXPECT_EQ(table_of("day,", {}).substr(0, 14), "there is no \"\"");
}

TEST(UsageTable, WritesNamesThatAreNeitherCellsNorFormulas) {
    struct Row {
        const char* name;
        std::string consumer;
        std::string field;
    };
    const Row rows[] = {
        {"plain", "team-a", "team-a"},
        {"none", "", ""},
        {"a comma", "a,b", "\"a,b\""},
        {"a quote", "a\"b", "\"a\"\"b\""},
        {"a line", "a\r\nb", "\"a\r\nb\""},
        {"a formula", "=HYPERLINK(1)", "'=HYPERLINK(1)"},
        {"a formula with a comma", "+A1,B1", "\"'+A1,B1\""},
    };
    for (const Row& row : rows) {
        const std::string text = table_of("consumer", {{key(row.consumer), spend(0)}});
        const std::string begin = std::string("consumer") + kCounts + row.field + ",1,0,0,";
        EXPECT_EQ(text.substr(0, begin.size()), begin) << row.name;
    }
}

TEST(Focus, HasAFieldForEachColumn) {
    std::ostringstream out;
    FocusTable focus(out, "USD");
    focus.add(key("team-a"), spend(150'000));
    focus.end();
    std::istringstream lines(out.str());
    std::string head;
    std::string line;
    std::getline(lines, head);
    std::getline(lines, line);
    EXPECT_EQ(std::ranges::count(head, ','), 30);
    EXPECT_EQ(
        line,
        "0.00015,rotary,USD,2026-12-01T00:00:00Z,2027-01-01T00:00:00Z,Usage,,"
        "Tokens of gpt-4o,Usage-Based,2026-12-31T23:00:00Z,2027-01-01T00:00:00Z,1050,Tokens,"
        "0.00015,0.00015,OpenAI,0.00015,0.001050,1M Tokens,OpenAI,OpenAI,b,"
        "AI and Machine Learning,OpenAI,OpenAI/gpt-4o,team-a,"
        "\"{\"\"api\"\":\"\"chat\"\",\"\"environment\"\":\"\"production\"\"}\",1,1000,50,0\r");
}

TEST(Focus, HasALineAnHour) {
    std::ostringstream out;
    FocusTable focus(out, "USD");
    focus.add(key("b", "gpt-4o", kTime - 4), spend(1));
    focus.add(key("b", "gpt-4o", kTime - 3), spend(2));
    focus.add(key("a", "gpt-4o", kTime - 2), spend(4));
    focus.add(key("b", "gpt-4o", kTime - 2), spend(8));
    focus.add(key("b", "gpt-4o", kTime), spend(16));
    focus.end();
    focus.end();
    std::istringstream lines(out.str());
    std::vector<std::string> costs;
    for (std::string line; std::getline(lines, line);) costs.push_back(line.substr(0, 11));
    EXPECT_EQ(costs, (std::vector<std::string>{"BilledCost,", "0.000000001", "0.000000004",
                                               "0.000000026"}));
}

TEST(UsageDates, AreDaysOfTheCalendar) {
    EXPECT_EQ(first_quarter_hour_of("1970-01-02"), 96);
    for (const char* text :
         {"", "2026-02-30", "2026-13-01", "2026-1-01", "2026/01/01", "today", "2026-01-0x"}) {
        EXPECT_FALSE(first_quarter_hour_of(text)) << text;
    }
}

}  // namespace
}  // namespace rotary::tools
