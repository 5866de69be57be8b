#include "base/metrics_page.hpp"

#include <rotary/base/metrics.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <list>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <unordered_map>
#include <utility>

namespace rotary::metrics {

namespace {

// Cells 0.. are the sink of default ids: wide enough for a whole block of status counters.
constexpr std::uint32_t kStatuses = 500;
constexpr std::uint32_t kSinkCells = kStatuses;

// Cells of series that nothing refers to any more, kept in case that they come back: half a MiB a
// shard.
constexpr std::uint32_t kMostUnused = 65536;

enum class Kind : std::uint8_t { counter, gauge, statuses, histogram };

struct Family;

struct Series {
    std::string labels;  // rendered: it is the series' identity within its family
    Family* family = nullptr;
    std::uint32_t index = 0;
    const Buckets* buckets = nullptr;
    std::uint32_t cells = 1;
    std::size_t holders = 0;  // leases, and one more for ever when it was registered without
    std::optional<std::list<Series*>::iterator> unused = {};  // its place among those, if it is
};

struct Family {
    Kind kind;
    std::string help;
    std::list<Series> series = {};  // a lease points to them
    std::unordered_map<std::string_view, std::list<Series>::iterator> by_labels = {};
};

std::unique_ptr<Buckets> make_buckets(std::span<const double> bounds) {
    auto buckets = std::make_unique<Buckets>();
    buckets->seconds.assign(bounds.begin(), bounds.end());
    for (const double bound : bounds) {
        buckets->nanoseconds.push_back(static_cast<std::uint64_t>(std::llround(bound * 1e9)));
    }
    if (!std::is_sorted(bounds.begin(), bounds.end(), std::less_equal<>{})) {
        throw std::logic_error("histogram bounds must ascend");
    }
    return buckets;
}

}  // namespace

struct Lease::Held {
    std::shared_ptr<Registry::State> state;
    std::vector<Series*> series;
};

struct Registry::State {
    mutable std::mutex mutex;
    std::map<std::string, Family, std::less<>> families;
    std::vector<std::unique_ptr<Buckets>> buckets;
    std::vector<const Shard*> shards;
    using Counts = std::unordered_map<std::uint32_t, std::uint64_t>;  // by cell; most are zero
    Counts retired;  // what detached shards had counted
    std::vector<std::function<void(Exposition&)>> sources;
    std::uint32_t next = kSinkCells;
    Lease::Held* recording = nullptr;
    std::list<Series*> unused;  // the longest first
    std::uint32_t unused_cells = 0;
    std::map<std::uint32_t, std::vector<std::uint32_t>> free;  // blocks of cells, by their size
    Counts base;  // what a cell had counted for another series

    struct Wanted {
        Kind kind;
        std::string_view name;
        std::string_view help;
        const Labels& labels;
        std::span<const double> bounds;
    };

    HistogramId find_or_add(const Wanted& wanted) {
        const std::lock_guard lock(mutex);
        auto found = families.find(wanted.name);
        if (found == families.end()) {
            Family family{wanted.kind, std::string(wanted.help)};
            found = families.emplace(std::string(wanted.name), std::move(family)).first;
        }
        Family& family = found->second;
        if (family.kind != wanted.kind) {
            throw std::logic_error("metric registered with two types: " + found->first);
        }
        std::string labels = render_labels(wanted.labels);
        const auto known = family.by_labels.find(labels);
        if (known == family.by_labels.end()) {
            Series& made = family.series.emplace_back(add(wanted, std::move(labels)));
            made.family = &family;
            family.by_labels.emplace(made.labels, std::prev(family.series.end()));
            return hold(made);
        }
        Series& series = *known->second;
        if (series.buckets != nullptr &&
            !std::ranges::equal(series.buckets->seconds, wanted.bounds)) {
            throw std::logic_error("histogram registered with other buckets: " + found->first);
        }
        return hold(series);
    }

    Series add(const Wanted& wanted, std::string labels) {
        Series series;
        series.labels = std::move(labels);
        if (wanted.kind == Kind::statuses) series.cells = kStatuses;
        if (wanted.kind == Kind::histogram) {
            series.buckets = intern(wanted.bounds);
            series.cells = static_cast<std::uint32_t>(wanted.bounds.size()) + 2;
        }
        series.index = take_cells(series.cells);
        return series;
    }

    std::uint32_t take_cells(std::uint32_t size) {
        std::vector<std::uint32_t>& blocks = free[size];
        if (!blocks.empty()) {
            const std::uint32_t index = blocks.back();
            blocks.pop_back();
            for (std::uint32_t i = index; i < index + size; ++i) set_base(i);
            return index;
        }
        if (size > Shard::kChunkCells * Shard::kChunks - next) {
            throw std::runtime_error(
                "too many metric series, of this configuration and of those that requests still "
                "use");
        }
        next += size;
        return next - size;
    }

    HistogramId hold(Series& series) {
        if (series.unused) {
            unused.erase(*series.unused);
            unused_cells -= series.cells;
            series.unused.reset();
        }
        ++series.holders;
        if (recording != nullptr) recording->series.push_back(&series);
        return {series.index, series.buckets};
    }

    void release(const Lease::Held& held) {
        const std::lock_guard lock(mutex);
        if (recording == &held) recording = nullptr;
        for (Series* series : held.series) {
            if (--series->holders > 0) continue;
            series->unused = unused.insert(unused.end(), series);
            unused_cells += series->cells;
        }
        while (unused_cells > kMostUnused) drop_oldest();
    }

    void drop_oldest() {
        const Series& series = *unused.front();
        unused.pop_front();
        free[series.cells].push_back(series.index);
        unused_cells -= series.cells;
        Family& family = *series.family;
        const auto found = family.by_labels.find(series.labels);
        const auto place = found->second;
        family.by_labels.erase(found);
        family.series.erase(place);
    }

    const Buckets* intern(std::span<const double> bounds) {
        for (const auto& known : buckets) {
            if (std::ranges::equal(known->seconds, bounds)) return known.get();
        }
        return buckets.emplace_back(make_buckets(bounds)).get();
    }

    static std::uint64_t count_of(const Counts& counts, std::uint32_t index) {
        if (counts.empty()) return 0;
        const auto found = counts.find(index);
        return found == counts.end() ? 0 : found->second;
    }

    // What the series that gets this cell has not counted itself.
    void set_base(std::uint32_t index) {
        const std::uint64_t before = counted(index);
        if (before == 0) {
            base.erase(index);
        } else {
            base[index] = before;
        }
    }

    // Under the mutex.
    std::uint64_t total(std::uint32_t index) const {
        return counted(index) - count_of(base, index);
    }

    std::uint64_t counted(std::uint32_t index) const {
        std::uint64_t sum = count_of(retired, index);
        for (const Shard* shard : shards) sum += shard->value(index);
        return sum;
    }

    std::uint64_t observations(const Series& series) const {
        std::uint64_t sum = 0;
        for (std::uint32_t i = 0; i + 1 < series.cells; ++i) sum += total(series.index + i);
        return sum;
    }

    void print(Page& page, const std::string& name, const Family& family) const;
    void print_histogram(Page& page, const std::string& name, const Series& series) const;

    // The newest of all workers' that the bucket really holds: its cell may have been another's.
    std::optional<Exemplar> exemplar(const Series& series, std::uint32_t bucket) const {
        const auto& bounds = series.buckets->nanoseconds;
        std::optional<Exemplar> newest;
        for (const Shard* shard : shards) {
            const auto found = shard->exemplar(series.index + bucket);
            if (!found || (bucket < bounds.size() && found->nanoseconds > bounds[bucket])) continue;
            if (bucket > 0 && found->nanoseconds <= bounds[bucket - 1]) continue;
            if (!newest || newest->at < found->at) newest = found;
        }
        return newest;
    }
};

void Registry::State::print_histogram(Page& page, const std::string& name,
                                      const Series& series) const {
    std::string& out = page.family(Type::histogram, name, {});
    // A page of ten thousand routes would be a page of zeros.
    if (!series.labels.empty() && observations(series) == 0) return;
    const auto& bounds = series.buckets->seconds;
    const auto last = static_cast<std::uint32_t>(bounds.size());
    std::uint64_t count = 0;
    for (std::uint32_t i = 0; i <= last; ++i) {
        count += total(series.index + i);
        std::string le = series.labels.empty() ? "le=\"" : series.labels + ",le=\"";
        append_real(le, i < last ? bounds[i] : std::numeric_limits<double>::infinity());
        append_sample(out, name + "_bucket", le + '"', count);
        if (page.format() != Format::open_metrics) continue;
        if (const auto found = exemplar(series, i)) {
            out.pop_back();
            append_exemplar(out, *found);
            out += '\n';
        }
    }
    const auto sum = static_cast<double>(total(series.index + last + 1)) / 1e9;
    append_sample(out, name + "_sum", series.labels, sum);
    append_sample(out, name + "_count", series.labels, count);
}

void Registry::State::print(Page& page, const std::string& name, const Family& family) const {
    const Type type = family.kind == Kind::gauge       ? Type::gauge
                      : family.kind == Kind::histogram ? Type::histogram
                                                       : Type::counter;
    std::string& out = page.family(type, name, family.help);
    for (const Series& series : family.series) {
        if (family.kind == Kind::histogram) {
            print_histogram(page, name, series);
        } else if (family.kind == Kind::statuses) {
            for (std::uint32_t i = 0; i < kStatuses; ++i) {
                const std::uint64_t count = total(series.index + i);
                if (count == 0) continue;
                const std::string code = "code=\"" + std::to_string(i + 100) + '"';
                const std::string separator = series.labels.empty() ? "" : ",";
                append_sample(out, name, series.labels + separator + code, count);
            }
        } else if (family.kind == Kind::gauge) {
            append_sample(out, name, series.labels, static_cast<std::int64_t>(total(series.index)));
        } else {
            append_sample(out, name, series.labels, total(series.index));
        }
    }
}

Lease::Lease(std::unique_ptr<Held> held) : held_(std::move(held)) {}
Lease::~Lease() { held_->state->release(*held_); }

Registry::Registry() : state_(std::make_shared<State>()) {}
Registry::~Registry() = default;

SeriesId Registry::counter(std::string_view name, std::string_view help, const Labels& labels) {
    return {state_->find_or_add({Kind::counter, name, help, labels, {}}).index};
}

SeriesId Registry::gauge(std::string_view name, std::string_view help, const Labels& labels) {
    return {state_->find_or_add({Kind::gauge, name, help, labels, {}}).index};
}

SeriesId Registry::status_counter(std::string_view name, std::string_view help,
                                  const Labels& labels) {
    return {state_->find_or_add({Kind::statuses, name, help, labels, {}}).index};
}

HistogramId Registry::histogram(std::string_view name, std::string_view help, const Labels& labels,
                                std::span<const double> bounds_seconds) {
    return state_->find_or_add({Kind::histogram, name, help, labels, bounds_seconds});
}

std::shared_ptr<Lease> Registry::begin_lease() {
    auto held = std::make_unique<Lease::Held>();
    held->state = state_;
    const std::lock_guard lock(state_->mutex);
    state_->recording = held.get();
    return std::make_shared<Lease>(std::move(held));
}

void Registry::end_lease() {
    const std::lock_guard lock(state_->mutex);
    state_->recording = nullptr;
}

std::uint32_t Registry::cells() const {
    const std::lock_guard lock(state_->mutex);
    return state_->next;
}

void Registry::attach(const Shard* shard) {
    const std::lock_guard lock(state_->mutex);
    state_->shards.push_back(shard);
}

void Registry::detach(const Shard* shard) {
    const std::lock_guard lock(state_->mutex);
    if (std::erase(state_->shards, shard) == 0) return;
    for (std::uint32_t i = 0; i < state_->next; ++i) {
        const std::uint64_t counted = shard->value(i);
        if (counted != 0) state_->retired[i] += counted;
    }
}

void Registry::on_scrape(std::function<void(Exposition&)> source) {
    const std::lock_guard lock(state_->mutex);
    state_->sources.push_back(std::move(source));
}

std::string Registry::scrape(Format format) const {
    std::unique_lock lock(state_->mutex);
    Page page(format);
    for (const auto& [name, family] : state_->families) state_->print(page, name, family);
    const auto sources = state_->sources;
    lock.unlock();
    for (const auto& source : sources) source(page);
    return page.text();
}

std::uint64_t Registry::value(SeriesId id) const {
    const std::lock_guard lock(state_->mutex);
    return state_->total(id.index);
}

std::uint64_t Registry::status_value(SeriesId id, unsigned status) const {
    if (status < 100 || status >= 600) return 0;
    return value({id.index + status - 100});
}

std::uint64_t Registry::count(HistogramId id) const {
    const std::vector<std::uint64_t> each = buckets(id);
    return std::accumulate(each.begin(), each.end(), std::uint64_t{0});
}

std::vector<std::uint64_t> Registry::buckets(HistogramId id) const {
    std::vector<std::uint64_t> each;
    if (id.buckets == nullptr) return each;
    const std::lock_guard lock(state_->mutex);
    const auto last = static_cast<std::uint32_t>(id.buckets->seconds.size());
    for (std::uint32_t i = 0; i <= last; ++i) each.push_back(state_->total(id.index + i));
    return each;
}

}  // namespace rotary::metrics
