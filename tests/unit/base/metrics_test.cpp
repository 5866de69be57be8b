#include <rotary/base/metrics.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace rotary::metrics {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::array kBounds{0.001, 0.01, 1.0};

struct Attached {
    explicit Attached(Registry& given) : registry(given) { registry.attach(&shard); }
    ~Attached() { registry.detach(&shard); }
    Attached(const Attached&) = delete;
    Attached& operator=(const Attached&) = delete;
    Registry& registry;
    Shard shard;
};

TEST(Metrics, PrintsThePage) {
    Registry registry;
    const auto zebra = registry.counter("zebra_total", "Last.");
    const auto requests = registry.status_counter("requests_total", "Requests.", {{"policy", "p"}});
    const auto in_flight = registry.gauge("in_flight", "Now.", {{"env", "a"}});
    const auto other = registry.gauge("in_flight", "Now.", {{"env", "b"}});
    const auto seconds = registry.histogram("seconds", "Took.", {{"env", "a"}}, kBounds);
    const auto bare = registry.histogram("took_seconds", "Took.", {}, kBounds);
    Attached one(registry);
    Attached two(registry);
    one.shard.add(zebra);
    two.shard.add(zebra, 41);
    one.shard.add_status(requests, 200);
    two.shard.add_status(requests, 200);
    two.shard.add_status(requests, 429);
    one.shard.add(in_flight, 3);
    two.shard.sub(in_flight, 5);
    one.shard.add(other);
    one.shard.observe(seconds, 1ms);
    two.shard.observe(seconds, 1ms + 1ns);
    two.shard.observe(seconds, 2500ms);
    one.shard.observe(bare, -1s);
    EXPECT_EQ(registry.scrape(), R"(# HELP in_flight Now.
# TYPE in_flight gauge
in_flight{env="a"} -2
in_flight{env="b"} 1
# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{policy="p",code="200"} 2
requests_total{policy="p",code="429"} 1
# HELP seconds Took.
# TYPE seconds histogram
seconds_bucket{env="a",le="0.001"} 1
seconds_bucket{env="a",le="0.01"} 2
seconds_bucket{env="a",le="1"} 2
seconds_bucket{env="a",le="+Inf"} 3
seconds_sum{env="a"} 2.502000001
seconds_count{env="a"} 3
# HELP took_seconds Took.
# TYPE took_seconds histogram
took_seconds_bucket{le="0.001"} 1
took_seconds_bucket{le="0.01"} 1
took_seconds_bucket{le="1"} 1
took_seconds_bucket{le="+Inf"} 1
took_seconds_sum 0
took_seconds_count 1
# HELP zebra_total Last.
# TYPE zebra_total counter
zebra_total 42
)");
    EXPECT_EQ(registry.value(zebra), 42U);
    EXPECT_EQ(registry.status_value(requests, 429), 1U);
    EXPECT_EQ(registry.status_value(requests, 99), 0U);
    EXPECT_EQ(registry.count(seconds), 3U);
}

TEST(Metrics, EscapesLabelsAndHelp) {
    Registry registry;
    registry.counter("c_total", "Back\\slash \"and\"\nline.", {{"l", "a\\b\"c\nd"}});
    EXPECT_EQ(registry.scrape(),
              "# HELP c_total Back\\\\slash \"and\"\\nline.\n"
              "# TYPE c_total counter\n"
              "c_total{l=\"a\\\\b\\\"c\\nd\"} 0\n");
}

TEST(Metrics, GivesTheSameIdForTheSameSeries) {
    Registry registry;
    const auto first = registry.counter("c_total", "", {{"a", "1"}, {"b", "2"}});
    EXPECT_EQ(registry.counter("c_total", "", {{"a", "1"}, {"b", "2"}}).index, first.index);
    EXPECT_NE(registry.counter("c_total", "", {{"a", "1"}}).index, first.index);
    EXPECT_NE(registry.counter("d_total", "", {{"a", "1"}, {"b", "2"}}).index, first.index);
    const auto histogram = registry.histogram("h", "", {}, kBounds);
    EXPECT_EQ(registry.histogram("h", "", {}, kBounds).index, histogram.index);
    EXPECT_EQ(registry.histogram("i", "", {}, kBounds).buckets, histogram.buckets);
    const auto cells = registry.cells();
    registry.histogram("h", "", {}, kBounds);
    EXPECT_EQ(registry.cells(), cells);
}

TEST(Metrics, ASeriesThatComesBackSoonGoesOnCounting) {
    Registry registry;
    Attached one(registry);
    auto lease = registry.begin_lease();
    const auto first = registry.counter("c_total", "", {{"model", "a"}});
    registry.end_lease();
    one.shard.add(first, 3);
    lease.reset();
    EXPECT_THAT(registry.scrape(), HasSubstr("c_total{model=\"a\"} 3\n"));
    lease = registry.begin_lease();
    EXPECT_EQ(registry.counter("c_total", "", {{"model", "a"}}).index, first.index);
    registry.end_lease();
    EXPECT_EQ(registry.value(first), 3U);
}

// A thousand configurations, each with models of its own: there is no end to reloads.
TEST(Metrics, CellsOfSeriesLongUnusedAreGivenToOthers) {
    Registry registry;
    Attached one(registry);
    const auto kept = registry.status_counter("s_total", "", {{"model", "kept"}});
    std::shared_ptr<Lease> before;
    std::uint32_t cells = 0;
    for (int i = 0; i < 1000; ++i) {
        const std::string name = "model " + std::to_string(i);
        auto lease = registry.begin_lease();
        const auto again = registry.status_counter("s_total", "", {{"model", "kept"}});
        const auto own = registry.status_counter("s_total", "", {{"model", name}});
        const auto took = registry.histogram("h", "", {{"model", name}}, kBounds);
        registry.end_lease();
        one.shard.ensure(registry.cells());
        EXPECT_EQ(again.index, kept.index);
        one.shard.add_status(kept, 200);
        EXPECT_EQ(registry.status_value(own, 200), 0U) << name;
        EXPECT_EQ(registry.count(took), 0U) << name;
        one.shard.add_status(own, 200);
        one.shard.observe(took, 1ms);
        EXPECT_EQ(registry.status_value(own, 200), 1U) << name;
        before = std::move(lease);
        if (i == 500) cells = registry.cells();
    }
    EXPECT_EQ(registry.cells(), cells);
    EXPECT_EQ(registry.status_value(kept, 200), 1000U);
    const std::string page = registry.scrape();
    EXPECT_THAT(page, HasSubstr("model=\"model 999\""));
    EXPECT_THAT(page, Not(HasSubstr("model=\"model 1\"")));
    EXPECT_THAT(page, HasSubstr("h_count{model=\"model 999\"} 1\n"));
}

// What a lease could not finish (a Backend's CA can't be read) is nobody's afterwards.
TEST(Metrics, ABrokenLeaseLeavesNothingBehind) {
    Registry registry;
    registry.begin_lease().reset();
    const auto id = registry.counter("c_total", "");
    EXPECT_THAT(registry.scrape(), HasSubstr("c_total 0\n"));
    EXPECT_EQ(registry.counter("c_total", "").index, id.index);
}

TEST(Metrics, AHistogramIsThereBeforeItsFirstObservationWhereItIsOne) {
    Registry registry;
    registry.histogram("bare", "", {}, kBounds);
    registry.histogram("many", "", {{"env", "a"}}, kBounds);
    EXPECT_THAT(registry.scrape(), HasSubstr("bare_count 0\n"));
    EXPECT_THAT(registry.scrape(), Not(HasSubstr("many_count")));
}

TEST(Metrics, RefusesContradictions) {
    Registry registry;
    registry.counter("c", "");
    registry.histogram("h", "", {}, kBounds);
    EXPECT_THROW(registry.gauge("c", ""), std::logic_error);
    EXPECT_THROW(registry.status_counter("c", ""), std::logic_error);
    EXPECT_THROW(registry.histogram("h", "", {}, std::array{1.0}), std::logic_error);
    EXPECT_THROW(registry.histogram("j", "", {}, std::array{2.0, 1.0}), std::logic_error);
    EXPECT_THROW(registry.histogram("k", "", {}, std::array{1.0, 1.0}), std::logic_error);
    // What failed took no cells that would print.
    EXPECT_THAT(registry.scrape(), Not(HasSubstr("\nj")));
}

TEST(Metrics, HasASinkForDefaultIds) {
    Registry registry;
    const auto first = registry.counter("c_total", "");
    Attached worker(registry);
    worker.shard.add(SeriesId{});
    worker.shard.sub(SeriesId{});
    for (unsigned status = 0; status < 1000; ++status) worker.shard.add_status({}, status);
    worker.shard.observe(HistogramId{}, 1s);
    EXPECT_EQ(registry.value(first), 0U);
    EXPECT_EQ(registry.count({}), 0U);
}

TEST(Metrics, CountsOnlyRealStatuses) {
    Registry registry;
    const auto statuses = registry.status_counter("s_total", "");
    const auto after = registry.counter("t_total", "");
    Attached worker(registry);
    for (const unsigned status : {0U, 99U, 600U, 999U}) worker.shard.add_status(statuses, status);
    worker.shard.add_status(statuses, 100);
    worker.shard.add_status(statuses, 599);
    EXPECT_EQ(registry.value(after), 0U);
    EXPECT_EQ(registry.scrape(),
              "# HELP s_total \n# TYPE s_total counter\n"
              "s_total{code=\"100\"} 1\ns_total{code=\"599\"} 1\n"
              "# HELP t_total \n# TYPE t_total counter\nt_total 0\n");
}

TEST(Metrics, KeepsWhatADetachedShardHadCounted) {
    Registry registry;
    const auto counter = registry.counter("c_total", "");
    {
        Attached worker(registry);
        worker.shard.add(counter, 5);
    }
    EXPECT_EQ(registry.value(counter), 5U);
    const auto later = registry.counter("d_total", "");
    {
        Attached worker(registry);
        worker.shard.add(counter, 2);
        worker.shard.add(later, 3);
        EXPECT_EQ(registry.value(counter), 7U);
    }
    EXPECT_EQ(registry.value(counter), 7U);
    EXPECT_EQ(registry.value(later), 3U);
    Shard stranger;
    stranger.add(counter, 100);
    registry.detach(&stranger);
    EXPECT_EQ(registry.value(counter), 7U);
}

TEST(Metrics, ReachesOverChunks) {
    Registry registry;
    std::vector<SeriesId> ids;
    for (std::uint32_t i = 0; i < 600; ++i) {
        ids.push_back(registry.status_counter("s_total", "", {{"n", std::to_string(i)}}));
    }
    ASSERT_GT(registry.cells(), 2 * Shard::kChunkCells);
    Attached warm(registry);
    Attached cold(registry);
    warm.shard.ensure(registry.cells());
    for (const auto id : ids) {
        for (unsigned status = 100; status < 600; ++status) {
            warm.shard.add_status(id, status);
            cold.shard.add_status(id, status);
        }
    }
    for (const auto id : ids) {
        for (unsigned status = 100; status < 600; ++status) {
            ASSERT_EQ(registry.status_value(id, status), 2U);
        }
    }
}

TEST(Metrics, RefusesMoreSeriesThanCells) {
    Registry registry;
    std::uint32_t last = 0;
    constexpr int most = Shard::kChunkCells / 500 * Shard::kChunks + Shard::kChunks;
    EXPECT_THROW(
        {
            for (int i = 0; i < most; ++i) {
                last = registry.status_counter("s", "", {{"n", std::to_string(i)}}).index;
            }
        },
        std::runtime_error);
    EXPECT_GT(last, 134'000'000U);
    Attached worker(registry);
    worker.shard.add_status({last}, 599);
    EXPECT_EQ(registry.status_value({last}, 599), 1U);
}

// Pages of this process that are memory, in KiB.
std::size_t resident_kib() {
    std::ifstream status("/proc/self/smaps_rollup");
    std::string word;
    std::size_t kib = 0;
    while (status >> word) {
        if (word == "Rss:") status >> kib;
    }
    return kib;
}

// Ten thousand routes have 40 MB of cells: those that no request takes cost no memory.
TEST(Metrics, CellsThatNeverCountAreNoMemory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer keeps memory of its own beside them";
#endif
    Registry registry;
    std::vector<SeriesId> ids;
    for (int i = 0; i < 10'000; ++i) {
        ids.push_back(registry.status_counter("s_total", "", {{"n", std::to_string(i)}}));
    }
    Attached worker(registry);
    const std::size_t before = resident_kib();
    worker.shard.ensure(registry.cells());
    worker.shard.add_status(ids.back(), 200);
    EXPECT_LT(resident_kib(), before + 4096);
    EXPECT_EQ(registry.status_value(ids.back(), 200), 1U);
}

// Of a histogram that has observed nothing the page would be mostly zeros.
TEST(Metrics, HistogramsWithoutAnObservationAreNotPrinted) {
    Registry registry;
    Attached worker(registry);
    const auto used = registry.histogram("h", "", {{"route", "used"}}, kBounds);
    registry.histogram("h", "", {{"route", "idle"}}, kBounds);
    worker.shard.observe(used, 0ns);
    const std::string page = registry.scrape();
    EXPECT_THAT(page, HasSubstr("h_count{route=\"used\"} 1"));
    EXPECT_THAT(page, Not(HasSubstr("idle")));
}

// Each registration was compared with all before it: ten thousand routes took a minute to start.
TEST(Metrics, ManySeriesComeAndGoAndComeBack) {
    Registry registry;
    Attached worker(registry);
    std::vector<SeriesId> first;
    for (int round = 0; round < 3; ++round) {
        auto lease = registry.begin_lease();
        for (int i = 0; i < 20'000; ++i) {
            const std::string name = std::to_string(round) + "-" + std::to_string(i);
            const SeriesId id = registry.status_counter("s_total", "", {{"route", name}});
            const SeriesId again = registry.status_counter("s_total", "", {{"route", name}});
            ASSERT_EQ(id.index, again.index);
            if (round == 0) first.push_back(id);
            if (i % 100 == 0) worker.shard.add_status(id, 200);
            ASSERT_EQ(registry.status_value(id, 200), i % 100 == 0 ? 1U : 0U)
                << "what the cell had counted before";
        }
        registry.end_lease();
        lease.reset();
        constexpr std::uint32_t kKept = 65536;  // of those that nothing refers to any more
        EXPECT_LE(registry.cells(), first.back().index + 500 + kKept);
    }
}

TEST(Metrics, AsksItsSourcesAtEachScrape) {
    Registry registry;
    registry.gauge("b", "Registered.");
    int calls = 0;
    registry.on_scrape([&](Exposition& page) {
        ++calls;
        page.gauge("a", "Info.", {{"version", "1"}}, 1);
        page.gauge("b", "Ignored.", {{"n", "x"}}, 0.25);
        page.gauge("c", "Odd.", {{"n", "1"}}, std::numeric_limits<double>::quiet_NaN());
        page.gauge("c", "Odd.", {{"n", "2"}}, -std::numeric_limits<double>::infinity());
        page.counter("d_total", "Big.", {}, 1e15);
        registry.counter("later_total", "A source may register.");
    });
    EXPECT_EQ(registry.scrape(),
              "# HELP a Info.\n# TYPE a gauge\na{version=\"1\"} 1\n"
              "# HELP b Registered.\n# TYPE b gauge\nb 0\nb{n=\"x\"} 0.25\n"
              "# HELP c Odd.\n# TYPE c gauge\nc{n=\"1\"} NaN\nc{n=\"2\"} -Inf\n"
              "# HELP d_total Big.\n# TYPE d_total counter\nd_total 1e+15\n");
    EXPECT_EQ(calls, 1);
}

TEST(Metrics, ReportsTheProcess) {
    Registry registry;
    register_process_metrics(registry);
    const std::string page = registry.scrape();
    for (const char* name :
         {"process_cpu_seconds_total ", "process_resident_memory_bytes ", "process_open_fds ",
          "process_max_fds ", "process_start_time_seconds ", "process_threads "}) {
        EXPECT_THAT(page, HasSubstr("\n" + std::string(name)));
    }
    const auto value = [&](const std::string& name) {
        return std::stod(page.substr(page.find("\n" + name + " ") + name.size() + 2));
    };
    EXPECT_GT(value("process_resident_memory_bytes"), 1e6);
    EXPECT_GE(value("process_open_fds"), 3);
    EXPECT_GT(value("process_start_time_seconds"), 1.7e9);
}

// For ThreadSanitizer: one writer, a reader and a registering thread at once.
TEST(Metrics, LetsOthersReadWhileOneWrites) {
    Registry registry;
    const auto counter = registry.counter("c_total", "");
    const auto histogram = registry.histogram("h", "", {}, kBounds);
    Attached worker(registry);
    std::atomic<bool> done{false};
    std::thread writer([&] {
        for (int i = 0; i < 20'000; ++i) {
            worker.shard.add(counter);
            worker.shard.observe(histogram, std::chrono::microseconds(i));
            if (i % 100 == 0) worker.shard.ensure(registry.cells());
        }
        done = true;
    });
    std::uint64_t last = 0;
    for (int i = 0; !done; ++i) {
        const auto now = registry.value(counter);
        EXPECT_GE(now, last);
        last = now;
        registry.status_counter("s" + std::to_string(i % 50) + "_total", "");
        registry.scrape();
    }
    writer.join();
    EXPECT_EQ(registry.value(counter), 20'000U);
    EXPECT_EQ(registry.count(histogram), 20'000U);
}

}  // namespace
}  // namespace rotary::metrics
