#include <rotary/quota/price.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <utility>
#include <vector>

namespace rotary::quota {
namespace {

using config::Picos;
using config::PriceEntry;
using config::Rate;

constexpr Picos kPerMillion = 1'000'000;  // of one currency unit a million tokens, a token

PriceEntry entry(std::vector<std::pair<Rate, Picos>> rates) {
    PriceEntry made;
    for (const auto& [rate, picos] : rates) made.rates[static_cast<std::size_t>(rate)] = picos;
    return made;
}

Price mini() {
    return Price(
        entry({{Rate::input, 150'000}, {Rate::cached_read, 75'000}, {Rate::output, 600'000}}));
}

llm::Usage usage(std::uint64_t input, std::uint64_t output) {
    llm::Usage made;
    made.input = input;
    made.output = output;
    return made;
}

TEST(Price, AddsUpExactly) {
    struct Row {
        const char* name;
        Price price;
        llm::Usage usage;
        Nanos cost;
    };
    std::vector<Row> rows;
    llm::Usage cached = usage(1000, 50);
    cached.cached_read = 400;
    rows.push_back({"gpt-4o-mini, partly cached", mini(), cached, 150'000});

    const Price opus(entry({{Rate::input, 5 * kPerMillion},
                            {Rate::cache_write, 6'250'000},
                            {Rate::output, 25 * kPerMillion}}));
    llm::Usage written = usage(6 + 159'217, 2'745);
    written.cache_write = 159'217;
    rows.push_back({"caches are counted once", opus, written, 1'063'761'250});

    const Price sonnet(entry({{Rate::input, 3 * kPerMillion},
                              {Rate::cache_write, 3'750'000},
                              {Rate::output, 15 * kPerMillion}}));
    llm::Usage small = usage(3 + 12'304, 550);
    small.cache_write = 12'304;
    rows.push_back({"as the vendor's own console", sonnet, small, 54'399'000});

    PriceEntry pro = entry({{Rate::input, 1'250'000}, {Rate::output, 10 * kPerMillion}});
    pro.tiers.push_back(
        {200'000, entry({{Rate::input, 2'500'000}, {Rate::output, 15 * kPerMillion}}).rates});
    rows.push_back({"above a tier", Price(pro), usage(200'001, 10), 500'152'500});
    rows.push_back({"at the tier's edge", Price(pro), usage(200'000, 10), 250'100'000});

    rows.push_back({"nothing used", mini(), {}, 0});
    const Price half(entry({{Rate::input, 500}}));
    rows.push_back({"half a nanodollar goes up", half, usage(1, 0), 1});
    rows.push_back({"rounded once, not each part", half, usage(3, 0), 2});
    const Price less(entry({{Rate::input, 499}}));
    rows.push_back({"less than half goes down", less, usage(1, 0), 0});
    for (const Row& row : rows) EXPECT_EQ(row.price.cost(row.usage), row.cost) << row.name;
}

config::PriceService multiple(std::int64_t millionths) {
    return {.millionths = millionths, .rates = {}, .is_multiple = true, .is_stated = true};
}

TEST(Price, OfAServiceIsAMultipleOrItsOwn) {
    using llm::Service;
    PriceEntry mini =
        entry({{Rate::input, 150'000}, {Rate::cached_read, 75'000}, {Rate::output, 600'000}});
    mini.services = {multiple(500'000), config::PriceService{}, multiple(1'670'000)};
    const Price price(mini);
    llm::Usage cached = usage(1000, 50);
    cached.cached_read = 400;
    llm::Usage one = usage(1, 0);
    one.cached_read = 1;

    PriceEntry fine = entry({{Rate::input, 500}});
    fine.services = {multiple(500'000), multiple(0), multiple(config::kMostMillionths)};
    PriceEntry pro = entry({{Rate::input, 1'250'000}, {Rate::output, 10 * kPerMillion}});
    pro.tiers.push_back(
        {200'000, entry({{Rate::input, 2'500'000}, {Rate::output, 15 * kPerMillion}}).rates});
    pro.services = {multiple(500'000), config::PriceService{}, config::PriceService{}};
    PriceEntry own = entry({{Rate::input, 150'000}, {Rate::output, 600'000}});
    own.services[2] = {.millionths = 1'000'000,
                       .rates = entry({{Rate::input, 260'000}}).rates,
                       .is_multiple = false,
                       .is_stated = true};
    PriceEntry dearest = entry({{Rate::input, config::kMostPicos}});
    dearest.services[2] = multiple(config::kMostMillionths);

    struct Row {
        const char* name;
        Price price;
        llm::Usage usage;
        Service service;
        Nanos cost;
    };
    const std::vector<Row> rows{
        {"the standard one", price, cached, Service::standard, 150'000},
        {"half", price, cached, Service::batch, 75'000},
        {"one that is not stated", price, cached, Service::flex, 150'000},
        {"more", price, cached, Service::priority, 250'500},
        {"half a nanodollar goes up", price, one, Service::batch, 38},
        {"rounded once, not before it is multiplied", Price(fine), usage(1, 0), Service::batch, 0},
        {"nothing", Price(fine), usage(1000, 0), Service::flex, 0},
        {"a hundred times", Price(fine), usage(1, 0), Service::priority, 50},
        {"above a tier", Price(pro), usage(200'001, 10), Service::batch, 250'076'250},
        {"its own rates", Price(own), usage(10, 5), Service::priority, 2'600 + 3'000},
        {"where there are none", Price(entry({{Rate::input, 500}})), usage(2, 0), Service::flex, 1},
        {"beyond all bounds", Price(dearest), usage(~std::uint64_t{0}, 0), Service::priority,
         std::numeric_limits<Nanos>::max()},
    };
    for (const Row& row : rows) {
        llm::Usage used = row.usage;
        used.service = row.service;
        EXPECT_EQ(row.price.cost(used), row.cost) << row.name;
    }
    EXPECT_TRUE(price.has_services());
    EXPECT_FALSE(Price(entry({{Rate::input, 500}})).has_services());
}

TEST(Price, FallsBackToWhatAPartIsOf) {
    const Price price(entry({{Rate::input, 1'000'000}, {Rate::output, 2'000'000}}));
    llm::Usage all = usage(100, 50);
    const Nanos plain = price.cost(all);
    all.cached_read = 10;
    all.cache_write = 10;
    all.cache_write_long = 10;
    all.audio_in = 10;
    all.image_in = 10;
    all.reasoning = 10;
    all.audio_out = 10;
    EXPECT_EQ(price.cost(all), plain);

    const Price written(entry({{Rate::input, 1'000'000}, {Rate::cache_write, 5'000'000}}));
    llm::Usage kept = usage(10, 0);
    kept.cache_write_long = 10;
    EXPECT_EQ(written.cost(kept), 50'000) << "long writes cost what short ones do";
}

TEST(Price, CountsEveryUnitAtItsOwnRate) {
    struct Row {
        const char* name;
        Rate rate;
        std::uint64_t llm::Usage::*count;
        std::uint64_t units;  // that cost one rate
    };
    const Row rows[] = {
        {"cached_read", Rate::cached_read, &llm::Usage::cached_read, 1},
        {"cache_write", Rate::cache_write, &llm::Usage::cache_write, 1},
        {"cache_write_long", Rate::cache_write_long, &llm::Usage::cache_write_long, 1},
        {"audio_in", Rate::audio_in, &llm::Usage::audio_in, 1},
        {"image_in", Rate::image_in, &llm::Usage::image_in, 1},
        {"reasoning", Rate::reasoning, &llm::Usage::reasoning, 1},
        {"audio_out", Rate::audio_out, &llm::Usage::audio_out, 1},
        {"images", Rate::image, &llm::Usage::images, 1},
        {"seconds", Rate::second, &llm::Usage::milliseconds, 1000},
        {"searches", Rate::web_search, &llm::Usage::web_searches, 1},
        {"input", Rate::input, &llm::Usage::input, 1},
        {"output", Rate::output, &llm::Usage::output, 1},
    };
    for (const Row& row : rows) {
        llm::Usage used;
        used.*row.count = 3 * row.units;
        EXPECT_EQ(Price(entry({{row.rate, 7'000}})).cost(used), 21) << row.name;
    }
    EXPECT_EQ(Price(entry({{Rate::request, 7'000}})).cost({}), 7) << "each request";
}

TEST(Price, TiersKeepWhatTheyDoNotState) {
    PriceEntry made = entry({{Rate::input, 1'000}, {Rate::cached_read, 2'000}});
    made.tiers.push_back({10, entry({{Rate::input, 5'000}}).rates});
    made.tiers.push_back({20, entry({{Rate::input, 9'000}}).rates});
    llm::Usage cached = usage(11, 0);
    cached.cached_read = 11;
    EXPECT_EQ(Price(made).cost(cached), 22) << "the entry's own cached_read";
    EXPECT_EQ(Price(made).cost(usage(20, 0)), 100);
    EXPECT_EQ(Price(made).cost(usage(21, 0)), 189);
}

TEST(Price, NeverGoesBelowNothingNorBeyondTheLargest) {
    llm::Usage odd = usage(10, 5);
    odd.cached_read = 400;
    odd.reasoning = 50;
    EXPECT_EQ(mini().cost(odd), 400 * 75 + 50 * 600) << "parts that are not in their whole";

    llm::Usage huge;
    constexpr auto kAll = std::numeric_limits<std::uint64_t>::max();
    huge.input = huge.output = huge.cached_read = huge.cache_write = kAll;
    huge.cache_write_long = huge.audio_in = huge.image_in = huge.reasoning = kAll;
    huge.audio_out = huge.milliseconds = huge.images = huge.web_searches = kAll;
    PriceEntry dear;
    for (auto& rate : dear.rates) rate = config::kMostPicos;
    EXPECT_EQ(Price(dear).cost(huge), std::numeric_limits<Nanos>::max());
}

// More of anything never costs less, where a part costs no less than its whole.
TEST(Price, IsMonotoneInEachCount) {
    constexpr std::uint64_t llm::Usage::*kCounts[] = {
        &llm::Usage::input,        &llm::Usage::output,           &llm::Usage::cached_read,
        &llm::Usage::cache_write,  &llm::Usage::cache_write_long, &llm::Usage::audio_in,
        &llm::Usage::image_in,     &llm::Usage::reasoning,        &llm::Usage::audio_out,
        &llm::Usage::milliseconds, &llm::Usage::images,           &llm::Usage::web_searches};
    std::mt19937_64 random(20261129);
    const auto below = [&](std::uint64_t bound) { return random() % bound; };
    for (int round = 0; round < 2000; ++round) {
        PriceEntry made;
        const auto whole = static_cast<Picos>(below(1'000'000));
        for (auto& rate : made.rates) rate = whole + static_cast<Picos>(below(1'000'000));
        made.rates[0] = made.rates[static_cast<std::size_t>(Rate::output)] = whole;
        PriceEntry tier = made;
        for (auto& rate : tier.rates) rate = *rate * 2;
        made.tiers.push_back({below(5'000), tier.rates});
        const Price price(made);
        llm::Usage used;
        for (const auto count : kCounts) used.*count = below(3'000);
        const Nanos before = price.cost(used);
        ASSERT_GE(before, 0);
        for (const auto count : kCounts) {
            llm::Usage more = used;
            more.*count += 1 + below(3'000);
            EXPECT_GE(price.cost(more), before);
        }
    }
}

}  // namespace
}  // namespace rotary::quota
