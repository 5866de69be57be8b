#include <rotary/base/metrics.hpp>

#include <sys/mman.h>

#include <algorithm>

namespace rotary::metrics {

namespace {

constexpr std::size_t kChunkBytes = Shard::kChunkCells * sizeof(std::uint64_t);

std::uint64_t counted(std::chrono::nanoseconds duration) noexcept {
    return duration.count() < 0 ? std::uint64_t{0} : static_cast<std::uint64_t>(duration.count());
}

// The cell of the bucket that a value falls into.
std::uint32_t bucket_of(const HistogramId& id, std::uint64_t value) noexcept {
    const auto& bounds = id.buckets->nanoseconds;
    const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin();
    return id.index + static_cast<std::uint32_t>(bucket);
}

}  // namespace

Shard::~Shard() {
    for (auto& slot : chunks_) {
        const Chunk chunk = slot.load(std::memory_order_relaxed);
        if (chunk != nullptr) ::munmap(chunk, kChunkBytes);
    }
}

Shard::Chunk Shard::grow(std::uint32_t index) noexcept {
    auto& slot = chunks_[index / kChunkCells % kChunks];
    const Chunk known = slot.load(std::memory_order_relaxed);
    if (known != nullptr) return known;
    void* made = ::mmap(nullptr, kChunkBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (made == MAP_FAILED) return nullptr;
    // Chunks lie side by side: a huge page would make memory of many that do not count.
    ::madvise(made, kChunkBytes, MADV_NOHUGEPAGE);
    slot.store(static_cast<Chunk>(made), std::memory_order_release);
    return static_cast<Chunk>(made);
}

void Shard::ensure(std::uint32_t cells) noexcept {
    for (std::uint32_t index = 0; index < cells; index += kChunkCells) grow(index);
}

void Shard::observe(HistogramId id, std::chrono::nanoseconds duration) noexcept {
    if (id.buckets == nullptr) return;
    const auto& bounds = id.buckets->nanoseconds;
    const std::uint64_t value = counted(duration);
    bump(bucket_of(id, value), 1);
    bump(id.index + static_cast<std::uint32_t>(bounds.size()) + 1, value);
}

void Shard::exemplify(HistogramId id, std::chrono::nanoseconds duration, const TraceId& trace,
                      WallTime now) noexcept {
    if (id.buckets == nullptr) return;
    const std::uint64_t value = counted(duration);
    const std::chrono::nanoseconds at = now.time_since_epoch();
    exemplars_.put(bucket_of(id, value), {trace, value, at.count()});
}

std::uint64_t Shard::value(std::uint32_t index) const noexcept {
    const Chunk chunk = chunks_[index / kChunkCells % kChunks].load(std::memory_order_acquire);
    if (chunk == nullptr) return 0;
    return Cell(chunk[index % kChunkCells]).load(std::memory_order_relaxed);
}

}  // namespace rotary::metrics
