#include <rotary/proxy/upstream_pool.hpp>

#include <utility>

namespace rotary::proxy {

namespace {

// Quiet costs nothing to see. TLS 1.3 session tickets may arrive behind an answer: then one read
// tells them from bytes that nobody asked for.
bool alive(net::Stream& stream) noexcept {
    if (stream.quiet()) return true;
    if (stream.descriptor().hung_up() || !stream.is_tls()) return false;
    char byte = 0;
    return stream.read_some(&byte, 1).status == net::IoStatus::would_block;
}

}  // namespace

bool UpstreamPool::usable(const Idle& idle, net::SteadyTime now) const noexcept {
    return now - idle.since < limits_.idle && alive(*idle.stream);
}

std::size_t UpstreamPool::hold(const std::string& key) {
    const auto known = keys_.find(key);
    if (known != keys_.end()) {
        ++buckets_[known->second].holders;
        return known->second;
    }
    const std::size_t place = free_place();
    keys_.emplace(key, place);
    Bucket& bucket = buckets_[place];
    bucket.key = key;
    bucket.holders = 1;
    bucket.idle.reserve(limits_.idle_connections);
    return place;
}

std::size_t UpstreamPool::free_place() {
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        if (buckets_[i].holders == 0) return i;
    }
    buckets_.emplace_back();
    return buckets_.size() - 1;
}

void UpstreamPool::release(std::size_t bucket) noexcept {
    Bucket& released = buckets_[bucket];
    if (--released.holders > 0) return;
    keys_.erase(released.key);
    released = {};
}

std::unique_ptr<net::Stream> UpstreamPool::take(std::size_t bucket, net::SteadyTime now) noexcept {
    std::vector<Idle>& idle = buckets_[bucket].idle;
    while (!idle.empty()) {
        Idle last = std::move(idle.back());
        idle.pop_back();
        if (usable(last, now)) return std::move(last.stream);
    }
    return nullptr;
}

void UpstreamPool::put(std::size_t bucket, std::unique_ptr<net::Stream> stream,
                       net::SteadyTime now) {
    std::vector<Idle>& idle = buckets_[bucket].idle;
    if (idle.size() >= limits_.idle_connections || !alive(*stream)) return;
    idle.push_back({std::move(stream), now});
}

void UpstreamPool::sweep(net::SteadyTime now) {
    for (Bucket& bucket : buckets_) {
        std::erase_if(bucket.idle, [&](const Idle& one) { return !usable(one, now); });
    }
}

void UpstreamPool::clear() {
    for (Bucket& bucket : buckets_) bucket.idle.clear();
}

std::size_t UpstreamPool::idle() const noexcept {
    std::size_t count = 0;
    for (const Bucket& bucket : buckets_) count += bucket.idle.size();
    return count;
}

}  // namespace rotary::proxy
