// The traces beside the buckets, and the page that shows them.
#include <rotary/base/exemplars.hpp>
#include <rotary/base/metrics.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>

namespace rotary::metrics {
namespace {

using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::array kBounds{0.001, 1.0};
constexpr TraceId kTrace{0x0af7651916cd43dd, 0x8448eb211c80319c};

TEST(Exemplars, OneIsFoundByItsCell) {
    Exemplars exemplars;
    EXPECT_FALSE(exemplars.find(7));
    EXPECT_FALSE(exemplars.find(0)) << "the places' own zero is no cell";
    exemplars.put(7, {kTrace, 5, 6});
    ASSERT_TRUE(exemplars.find(7));
    EXPECT_EQ(exemplars.find(7)->trace, kTrace);
    EXPECT_EQ(exemplars.find(7)->nanoseconds, 5U);
    EXPECT_EQ(exemplars.find(7)->at, 6);
    EXPECT_FALSE(exemplars.find(7 + 512)) << "it shares the place and has not put";
    exemplars.put(7 + 512, {kTrace, 8, 9});
    EXPECT_FALSE(exemplars.find(7));
    EXPECT_TRUE(exemplars.find(7 + 512));
}

TEST(Exemplars, AReaderNeverSeesHalves) {
    Exemplars exemplars;
    std::atomic<bool> started{false};
    std::thread writer([&] {
        for (std::uint64_t i = 1; i <= 20'000; ++i) {
            exemplars.put(3, {{i, i}, i, static_cast<std::int64_t>(i)});
            started.store(true);
        }
    });
    while (!started.load()) std::this_thread::yield();
    std::uint64_t last = 0;
    while (last < 20'000) {
        const auto found = exemplars.find(3);
        if (!found) continue;
        EXPECT_EQ(found->trace.high, found->nanoseconds);
        EXPECT_EQ(found->trace.low, found->nanoseconds);
        EXPECT_EQ(found->at, static_cast<std::int64_t>(found->nanoseconds));
        last = found->nanoseconds;
    }
    writer.join();
}

TEST(OpenMetrics, IsThePageThatWasAskedFor) {
    struct Case {
        const char* accept;
        Format format;
    };
    const Case cases[] = {
        {"", Format::text},
        {"*/*", Format::text},
        {"text/plain;version=0.0.4", Format::text},
        {"application/openmetrics-text", Format::open_metrics},
        {"application/openmetrics-text;version=1.0.0,text/plain;q=0.5", Format::open_metrics},
        {"text/plain;q=0.5, Application/OpenMetrics-Text;version=0.0.1;q=0.75",
         Format::open_metrics},
        {"application/openmetrics-text;q=0,text/plain", Format::text},
        {"application/openmetrics-text;q=0.0", Format::text},
    };
    for (const Case& one : cases) EXPECT_EQ(format_for(one.accept), one.format) << one.accept;
    EXPECT_THAT(std::string(content_type(Format::text)), HasSubstr("version=0.0.4"));
    EXPECT_THAT(std::string(content_type(Format::open_metrics)), HasSubstr("openmetrics-text"));
}

TEST(OpenMetrics, NamesFamiliesAndShowsExemplars) {
    Registry registry;
    Shard shard;
    registry.attach(&shard);
    const auto total = registry.counter("things_total", "Say \"hi\".");
    const auto odd = registry.counter("odds", "No counter there.");
    const auto seconds = registry.histogram("took_seconds", "Took.", {{"env", "a"}}, kBounds);
    shard.add(total);
    shard.add(odd);
    shard.observe(seconds, 2ms);
    shard.exemplify(seconds, 2ms, kTrace, WallTime(1700000000007ms));
    EXPECT_EQ(registry.scrape(Format::open_metrics), R"(# HELP odds No counter there.
# TYPE odds unknown
odds 1
# HELP things Say \"hi\".
# TYPE things counter
things_total 1
# HELP took_seconds Took.
# TYPE took_seconds histogram
took_seconds_bucket{env="a",le="0.001"} 0
took_seconds_bucket{env="a",le="1"} 1 # {trace_id="0af7651916cd43dd8448eb211c80319c"} 0.002 )"
                                                     R"(1700000000.007
took_seconds_bucket{env="a",le="+Inf"} 1
took_seconds_sum{env="a"} 0.002
took_seconds_count{env="a"} 1
# EOF
)");
    EXPECT_THAT(registry.scrape(), Not(HasSubstr("trace_id")));
    EXPECT_THAT(registry.scrape(), Not(EndsWith("# EOF\n")));
    registry.detach(&shard);
}

TEST(OpenMetrics, AnExemplarOfAnotherBucketIsNotShown) {
    Registry registry;
    Shard shard;
    registry.attach(&shard);
    const auto seconds = registry.histogram("took_seconds", "Took.", {}, kBounds);
    shard.observe(seconds, 2ms);
    // As one that the cell kept from a series that had it before.
    HistogramId other = seconds;
    other.index += 1;
    shard.exemplify(other, 1us, kTrace, WallTime(1s));
    EXPECT_THAT(registry.scrape(Format::open_metrics), Not(HasSubstr("trace_id")));
    registry.detach(&shard);
}

}  // namespace
}  // namespace rotary::metrics
