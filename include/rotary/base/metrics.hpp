#pragma once

#include <rotary/base/exemplars.hpp>
#include <rotary/base/metrics_format.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Counters that the path bumps without a lock, and the page that Prometheus reads.
//
// A series is registered once, when a snapshot is compiled, and is from then on a number: the index
// of its first cell. Each worker has a Shard, an array of cells that only it writes; a scrape adds
// up all shards. What a reader sees is a few ns old and each number is whole; two numbers may
// belong to different instants, which Prometheus lives with.
namespace rotary::metrics {

// A counter, a gauge or a block of status counters. The default one is a sink that is never
// printed.
struct SeriesId {
    std::uint32_t index = 0;
};

// Upper bounds of a histogram's buckets, ascending, without +Inf. Owned by the registry, for ever.
struct Buckets {
    std::vector<double> seconds;             // as printed
    std::vector<std::uint64_t> nanoseconds;  // as compared
};

// Cells: one a bucket, one for what is over the last bound, one for the sum in nanoseconds. The
// count is the sum of the buckets, so it always agrees with them. The default one observes nothing.
struct HistogramId {
    std::uint32_t index = 0;
    const Buckets* buckets = nullptr;
};

struct Label {
    std::string_view name;
    std::string_view value;
};
using Labels = std::vector<Label>;

// One worker's cells. Owned by its worker, which alone calls the non-const functions; any thread
// may call value(). They are address space, of which a page becomes memory when a cell of it first
// counts: a series that never counts costs none. An id registered later than the last ensure()
// costs one call to the kernel on first use.
class Shard {
public:
    Shard() = default;
    ~Shard();
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;

    // Makes room for `cells` cells (Registry::cells()), so that the path need not ask for it.
    void ensure(std::uint32_t cells) noexcept;

    void add(SeriesId id, std::uint64_t n = 1) noexcept { bump(id.index, n); }
    // For gauges: the worker that added takes away. A gauge may be negative in one shard.
    void sub(SeriesId id, std::uint64_t n = 1) noexcept { bump(id.index, std::uint64_t{0} - n); }
    // `id` from Registry::status_counter. A status outside 100..599 is not counted.
    void add_status(SeriesId id, unsigned status) noexcept {
        if (status >= 100 && status < 600) bump(id.index + status - 100, 1);
    }
    // Negative durations count as zero.
    void observe(HistogramId id, std::chrono::nanoseconds duration) noexcept;

    // The trace that an observation was made in, for its bucket.
    void exemplify(HistogramId id, std::chrono::nanoseconds duration, const TraceId& trace,
                   WallTime now) noexcept;

    std::uint64_t value(std::uint32_t index) const noexcept;
    std::optional<Exemplar> exemplar(std::uint32_t index) const noexcept {
        return exemplars_.find(index);
    }

    static constexpr std::uint32_t kChunkCells = 131072;  // 1 MiB
    static constexpr std::uint32_t kChunks = 1024;

private:
    using Chunk = std::uint64_t*;
    using Cell = std::atomic_ref<std::uint64_t>;

    void bump(std::uint32_t index, std::uint64_t n) noexcept {
        Chunk chunk = chunks_[index / kChunkCells % kChunks].load(std::memory_order_relaxed);
        if (chunk == nullptr) [[unlikely]] {
            chunk = grow(index);
            if (chunk == nullptr) return;
        }
        // One writer: a plain add, without the bus lock of fetch_add.
        const Cell cell(chunk[index % kChunkCells]);
        cell.store(cell.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    Chunk grow(std::uint32_t index) noexcept;

    std::array<std::atomic<Chunk>, kChunks> chunks_{};
    Exemplars exemplars_;
};

enum class Type : std::uint8_t { counter, gauge, histogram };

// Holds the series of one configuration. Made by Registry::begin_lease(); ends on any thread.
class Lease {
public:
    struct Held;
    explicit Lease(std::unique_ptr<Held> held);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

private:
    std::unique_ptr<Held> held_;
};

// Samples that are worked out while a scrape runs.
class Exposition {
public:
    virtual ~Exposition() = default;
    struct Sample {
        Type type;
        std::string_view name;
        std::string_view help;
        const Labels& labels;
        double value;
    };
    virtual void add(const Sample& sample) = 0;
    void gauge(std::string_view name, std::string_view help, const Labels& labels, double value) {
        add({Type::gauge, name, help, labels, value});
    }
    void counter(std::string_view name, std::string_view help, const Labels& labels, double value) {
        add({Type::counter, name, help, labels, value});
    }
};

// All series of the process. Shared by all threads, under a mutex: never touched by the path. It
// must outlive the shards' use of its ids. A series that no Lease holds is kept: a reload that
// registers the same name and labels gets the same id back and goes on counting. Only when many are
// kept so, the longest unused are dropped and their cells given to others. A name that comes back
// with another type or other buckets is a bug in us: std::logic_error. More cells than a Shard has,
// in all configurations that are still in use, is std::runtime_error.
class Registry {
public:
    Registry();
    ~Registry();
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    SeriesId counter(std::string_view name, std::string_view help, const Labels& labels = {});
    SeriesId gauge(std::string_view name, std::string_view help, const Labels& labels = {});
    // One counter for each code="100".."599"; only those that have counted are printed.
    SeriesId status_counter(std::string_view name, std::string_view help,
                            const Labels& labels = {});
    HistogramId histogram(std::string_view name, std::string_view help, const Labels& labels,
                          std::span<const double> bounds_seconds);

    // What is registered between these two belongs to the lease; none may count with its ids any
    // more once that has gone. What is registered without one stays for ever.
    std::shared_ptr<Lease> begin_lease();
    void end_lease();

    // For Shard::ensure: how many cells the ids given out so far reach.
    std::uint32_t cells() const;

    // From attach to detach the shard must stay alive. detach keeps what it has counted.
    void attach(const Shard* shard);
    void detach(const Shard* shard);

    // Called at each scrape, on the scraping thread, without the registry's lock.
    void on_scrape(std::function<void(Exposition&)> source);

    // Families sorted by name, series in order of registration.
    std::string scrape(Format format = Format::text) const;

    // Sums over all shards: for the status page and for tests.
    std::uint64_t value(SeriesId id) const;
    std::uint64_t status_value(SeriesId id, unsigned status) const;
    std::uint64_t count(HistogramId id) const;
    // One a bucket, and what is over the last bound; empty for the one that observes nothing.
    std::vector<std::uint64_t> buckets(HistogramId id) const;

private:
    friend class Lease;
    struct State;
    std::shared_ptr<State> state_;
};

// process_cpu_seconds_total, process_resident_memory_bytes, process_open_fds and their kin, read
// from /proc at each scrape.
void register_process_metrics(Registry& registry);

}  // namespace rotary::metrics
