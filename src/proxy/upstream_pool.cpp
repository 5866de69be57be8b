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

std::size_t UpstreamPool::bucket(const std::string& key) {
    const auto [place, is_new] = keys_.emplace(key, buckets_.size());
    if (is_new) buckets_.emplace_back().reserve(limits_.idle_connections);
    return place->second;
}

std::unique_ptr<net::Stream> UpstreamPool::take(std::size_t bucket, net::SteadyTime now) noexcept {
    std::vector<Idle>& idle = buckets_[bucket];
    while (!idle.empty()) {
        Idle last = std::move(idle.back());
        idle.pop_back();
        if (usable(last, now)) return std::move(last.stream);
    }
    return nullptr;
}

void UpstreamPool::put(std::size_t bucket, std::unique_ptr<net::Stream> stream,
                       net::SteadyTime now) {
    std::vector<Idle>& idle = buckets_[bucket];
    if (idle.size() >= limits_.idle_connections || !alive(*stream)) return;
    idle.push_back({std::move(stream), now});
}

void UpstreamPool::sweep(net::SteadyTime now) {
    for (std::vector<Idle>& idle : buckets_) {
        std::erase_if(idle, [&](const Idle& one) { return !usable(one, now); });
    }
}

void UpstreamPool::clear() {
    for (std::vector<Idle>& idle : buckets_) idle.clear();
}

std::size_t UpstreamPool::idle() const noexcept {
    std::size_t count = 0;
    for (const std::vector<Idle>& idle : buckets_) count += idle.size();
    return count;
}

}  // namespace rotary::proxy
