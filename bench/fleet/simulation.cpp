// A fleet of up to a thousand replicas in one thread, on a moved clock: counters, leases,
// suspensions and lists are the program's own; Redis is its model, which a test holds beside the
// real one, the network is a delay. Prints its figures as JSON.
#include <rotary/rotation/cursor.hpp>
#include <rotary/rotation/rotation.hpp>

#include "unit/fleet/fleet_of.hpp"
#include "unit/fleet/leased_fleet.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

double milliseconds(nanoseconds time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

nanoseconds next_gap(std::mt19937_64& random, double a_second) {
    std::exponential_distribution<double> gap(a_second);
    return nanoseconds(static_cast<std::int64_t>(gap(random) * 1e9));
}

// --- limits ------------------------------------------------------------------------------------

std::vector<double> parts(std::size_t replicas, bool skewed) {
    std::vector<double> parts(replicas, 1.0);
    if (skewed && replicas > 1) {
        std::fill(parts.begin(), parts.end(), 0.1 / static_cast<double>(replicas - 1));
        parts.front() = 0.9;
    }
    return parts;
}

// One window of a minute, in which half again as much is asked as the limit allows.
void one_limit(std::size_t replicas, std::int64_t amount, bool skewed, nanoseconds way) {
    fleet::LeasedFleet fleet(replicas, fleet::limit_of(amount), way);
    const std::vector<double> shares = parts(replicas, skewed);
    std::mt19937_64 random(11);
    std::discrete_distribution<std::size_t> replica(shares.begin(), shares.end());
    std::int64_t asked = 0;
    std::int64_t before_first = -1;  // admitted when the first was refused
    nanoseconds due{0};
    for (;;) {
        due += next_gap(random, static_cast<double>(amount) * 1.5 / 60);
        if (due >= 59s) break;
        if (due > fleet.passed()) fleet.run_until(due);
        ++asked;
        const bool admitted = fleet.request(replica(random));
        if (!admitted && before_first < 0) before_first = fleet.admitted();
    }
    nanoseconds longest{0};
    for (std::size_t i = 0; i < replicas; ++i) longest = std::max(longest, fleet[i].longest_wait);
    const double early = before_first < 0 ? 0.0
                                          : 100.0 * static_cast<double>(amount - before_first) /
                                                static_cast<double>(amount);
    std::printf(
        "{\"what\":\"limit\",\"replicas\":%zu,\"limit\":%lld,\"traffic\":\"%s\",\"wire_ms\":%g,"
        "\"asked\":%lld,\"over\":%lld,\"first_refusal_early_percent\":%.2f,\"questions\":%llu,"
        "\"longest_wait_ms\":%.2f}\n",
        replicas, static_cast<long long>(amount), skewed ? "90 % at one" : "even",
        milliseconds(way), static_cast<long long>(asked),
        static_cast<long long>(fleet.admitted() - amount), early,
        static_cast<unsigned long long>(fleet.questions()), milliseconds(longest));
    std::fflush(stdout);
}

// --- suspensions -------------------------------------------------------------------------------

constexpr nanoseconds kAnswer = 20ms;  // from a request to its answer
constexpr nanoseconds kQuotaEnds = 1s;
constexpr nanoseconds kQuotaIsBack = 12s;  // the suspension lasts 10

struct UnderWay {
    nanoseconds answered_at;
    std::size_t replica;
    bool is_probe;
    friend bool operator>(const UnderWay& one, const UnderWay& other) {
        return one.answered_at > other.answered_at;
    }
};

// What came of it that the quota of an entry ended.
struct Ending {
    std::optional<nanoseconds> read_at;  // the first refusal, by a replica
    std::uint64_t refused = 0;
    std::uint64_t late = 0;  // asked behind that
    nanoseconds last_late{0};
    std::uint64_t probes_refused = 0;
};

class QuotaEnds {
public:
    QuotaEnds(std::size_t replicas, double a_second, nanoseconds way)
        : fleet_(replicas), a_second_(a_second) {
        for (auto& replica : fleet_.replicas) replica->store.set_way(way);
        fleet_.move(10ms);
        begun_ = fleet_.time->now();
    }

    Ending run() {
        std::mt19937_64 random(5);
        std::uniform_int_distribution<std::size_t> replica(0, fleet_.replicas.size() - 1);
        nanoseconds due{0};
        while (due < 25s) {
            due += next_gap(random, a_second_);
            answer_until(due);
            fleet_.time->move_to(begun_ + due);
            ask(replica(random), due);
        }
        return ending_;
    }

private:
    void ask(std::size_t index, nanoseconds now) {
        test::ModelReplica& one = *fleet_.replicas[index];
        bool is_probe = false;
        switch (one.entry->standing(one.time->now())) {
            case rotation::Standing::out:
                return;
            case rotation::Standing::probe_due:
                is_probe = one.claims();
                if (!is_probe && !one.is_active()) return;
                break;
            case rotation::Standing::active:
                break;
        }
        const bool is_late = ending_.read_at && now > *ending_.read_at && now < kQuotaEnds + 5s;
        if (is_late) {
            ++ending_.late;
            ending_.last_late = now - *ending_.read_at;
        }
        under_way_.push({now + kAnswer, index, is_probe});
    }

    void answer_until(nanoseconds end) {
        while (!under_way_.empty() && under_way_.top().answered_at <= end) {
            const UnderWay one = under_way_.top();
            under_way_.pop();
            fleet_.time->move_to(begun_ + one.answered_at);
            answer(one);
        }
    }

    void answer(const UnderWay& one) {
        test::ModelReplica& replica = *fleet_.replicas[one.replica];
        const bool is_refused =
            one.answered_at >= kQuotaEnds + kAnswer && one.answered_at < kQuotaIsBack + kAnswer;
        if (!is_refused) {
            if (one.is_probe) replica.entry->probe_passed();
            return;
        }
        ++ending_.refused;
        if (one.is_probe) ++ending_.probes_refused;
        if (!ending_.read_at) ending_.read_at = one.answered_at;
        replica.suspend(10s);
    }

    test::ModelFleet fleet_;
    const double a_second_;
    SteadyTime begun_;
    std::priority_queue<UnderWay, std::vector<UnderWay>, std::greater<>> under_way_;
    Ending ending_;
};

void one_suspension(std::size_t replicas, double a_second, nanoseconds way) {
    const Ending ending = QuotaEnds(replicas, a_second, way).run();
    std::printf(
        "{\"what\":\"suspension\",\"replicas\":%zu,\"requests_a_second\":%g,\"wire_ms\":%g,"
        "\"refused\":%llu,\"asked_behind_the_first_429\":%llu,\"last_of_them_ms\":%.2f,"
        "\"probes_refused\":%llu}\n",
        replicas, a_second, milliseconds(way), static_cast<unsigned long long>(ending.refused),
        static_cast<unsigned long long>(ending.late), milliseconds(ending.last_late),
        static_cast<unsigned long long>(ending.probes_refused));
    std::fflush(stdout);
}

// --- weights -----------------------------------------------------------------------------------

constexpr std::size_t kPicks = 100'000;

// How far the fleet's counts stray from the exact shares: at any moment, and in any window of ten
// times the weights' sum.
struct Stray {
    double at_any_moment = 0;
    double in_a_window = 0;
};

Stray stray(const std::vector<std::size_t>& picks, const std::vector<std::uint32_t>& weights) {
    double sum = 0;
    for (const std::uint32_t weight : weights) sum += weight;
    const auto window = static_cast<std::size_t>(10 * sum);
    std::vector<double> counts(weights.size());
    std::vector<double> in_window(weights.size());
    Stray found;
    for (std::size_t i = 0; i < picks.size(); ++i) {
        ++counts[picks[i]];
        ++in_window[picks[i]];
        if (i >= window) --in_window[picks[i - window]];
        for (std::size_t entry = 0; entry < weights.size(); ++entry) {
            const double share = weights[entry] / sum;
            const double due = share * static_cast<double>(i + 1);
            found.at_any_moment = std::max(found.at_any_moment, std::abs(counts[entry] - due));
            if (i + 1 < window) continue;
            const double wanted = share * static_cast<double>(window);
            found.in_a_window = std::max(found.in_a_window, std::abs(in_window[entry] - wanted));
        }
    }
    return found;
}

void one_list(std::size_t replicas, const std::vector<std::uint32_t>& weights, bool is_drawn) {
    std::mt19937_64 random(3);
    std::uniform_real_distribution<double> start(0, 1);
    std::vector<std::unique_ptr<rotation::Cursor>> cursors;
    for (std::size_t i = 0; i < replicas; ++i) {
        cursors.push_back(
            std::make_unique<rotation::Cursor>(weights, is_drawn ? start(random) : 0.0));
    }
    std::uniform_int_distribution<std::size_t> replica(0, replicas - 1);
    std::vector<std::size_t> picks;
    for (std::size_t i = 0; i < kPicks; ++i) {
        rotation::Cursor& cursor = *cursors[replica(random)];
        picks.push_back(cursor.next(cursor.all()));
    }
    const Stray found = stray(picks, weights);
    std::string text;
    for (const std::uint32_t weight : weights) {
        text += (text.empty() ? "" : ":") + std::to_string(weight);
    }
    std::printf(
        "{\"what\":\"weights\",\"replicas\":%zu,\"weights\":\"%s\",\"starts\":\"%s\","
        "\"stray_at_any_moment\":%.1f,\"stray_in_a_window\":%.0f}\n",
        replicas, text.c_str(), is_drawn ? "drawn" : "alike", found.at_any_moment,
        found.in_a_window);
    std::fflush(stdout);
}

int run(std::string_view what) {
    const auto is_wanted = [&](std::string_view part) { return what.empty() || what == part; };
    constexpr std::size_t kFleets[] = {1, 3, 10, 30, 100, 300, 1000};
    if (is_wanted("limits")) {
        for (const std::size_t replicas : kFleets) {
            for (const bool skewed : {false, true}) {
                one_limit(replicas, 60'000, skewed, 100us);
                one_limit(replicas, 60'000, skewed, 1ms);
            }
        }
        for (const std::size_t replicas : kFleets) one_limit(replicas, 1'000, false, 1ms);
    }
    if (is_wanted("suspensions")) {
        for (const std::size_t replicas : kFleets) {
            one_suspension(replicas, 2000, 100us);
            one_suspension(replicas, 2000, 5ms);
        }
    }
    if (is_wanted("weights")) {
        for (const std::size_t replicas : kFleets) {
            one_list(replicas, {5, 3, 2}, true);
            one_list(replicas, {97, 2, 1}, true);
            one_list(replicas, {97, 2, 1}, false);
        }
    }
    return 0;
}

}  // namespace
}  // namespace rotary::bench

int main(int argc, char** argv) { return rotary::bench::run(argc > 1 ? argv[1] : ""); }
