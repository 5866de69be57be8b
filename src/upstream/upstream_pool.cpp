#include <rotary/upstream/upstream_pool.hpp>

#include <algorithm>
#include <utility>

namespace rotary::upstream {

namespace {

// Quiet costs nothing to see. TLS 1.3 session tickets may arrive behind an answer: then one read
// tells them from bytes that were not asked for.
bool alive(net::Stream& stream) noexcept {
    if (stream.quiet()) return true;
    if (stream.descriptor().hung_up() || !stream.is_tls()) return false;
    if (stream.descriptor().reactor().turn_is_over()) return false;  // it could not be read now
    char byte = 0;
    return stream.read_some(&byte, 1).status == net::IoStatus::would_block;
}

}  // namespace

// UpstreamConnection

bool UpstreamConnection::begin_use() noexcept {
    const UpstreamPool::Bucket& bucket = pool_->buckets_[bucket_];
    if (counted_ || bucket.limits.requests == rotation::BackendLimits::kNone) return true;
    counted_ = bucket.state->enter_request(bucket.limits.requests);
    return counted_;
}

void UpstreamConnection::end_use() noexcept {
    if (std::exchange(counted_, false)) pool_->buckets_[bucket_].state->leave_request();
}

void UpstreamConnection::give_up() noexcept {
    end_use();
    close();
    if (!pool_->hand_over(*this)) pool_->drop(*this);
}

// Waiter

UpstreamPool::Waiter::Waiter(UpstreamPool& pool, std::size_t index) noexcept
    : pool_(pool), bucket_(index) {
    Bucket& bucket = pool.buckets_[index];
    admitted_ = bucket.state->enter_pending(bucket.limits.pending);
    if (!admitted_) return;
    queued_ = true;
    previous_ = bucket.last;
    (bucket.last != nullptr ? bucket.last->next_ : bucket.first) = this;
    bucket.last = this;
    ++bucket.waiting;
}

UpstreamPool::Waiter::~Waiter() {
    leave_queue();
    // It came when this request needed it no more: the next one does.
    if (handed_) pool_.put(bucket_, std::move(handed_), pool_.reactor_.now());
}

void UpstreamPool::Waiter::leave_queue() noexcept {
    if (!std::exchange(queued_, false)) return;
    Bucket& bucket = pool_.buckets_[bucket_];
    (previous_ != nullptr ? previous_->next_ : bucket.first) = next_;
    (next_ != nullptr ? next_->previous_ : bucket.last) = previous_;
    --bucket.waiting;
    bucket.state->leave_pending();
}

UpstreamConnection UpstreamPool::Waiter::look() noexcept {
    if (handed_.has_place()) return std::move(handed_);
    Bucket& bucket = pool_.buckets_[bucket_];
    if (bucket.first != this || !pool_.find_place(bucket)) return {};
    leave_queue();
    return UpstreamConnection(pool_, bucket_);
}

// UpstreamPool

bool UpstreamPool::usable(const Idle& idle, net::SteadyTime now) const noexcept {
    return now - idle.since < limits_.idle && alive(*idle.connection);
}

std::size_t UpstreamPool::hold(const std::string& key,
                               std::shared_ptr<rotation::BackendState> state,
                               const rotation::BackendLimits& limits) {
    const auto known = keys_.find(key);
    const std::size_t place = known != keys_.end() ? known->second : free_place();
    Bucket& bucket = buckets_[place];
    if (bucket.holders++ == 0) {
        keys_.emplace(key, place);
        bucket.key = key;
        bucket.state = std::move(state);
        bucket.idle.reserve(limits_.idle_connections);
    }
    bucket.limits = limits;
    return place;
}

std::size_t UpstreamPool::free_place() {
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        if (buckets_[i].holders == 0) return i;
    }
    buckets_.emplace_back();
    return buckets_.size() - 1;
}

void UpstreamPool::release(std::size_t index) noexcept {
    Bucket& bucket = buckets_[index];
    if (--bucket.holders > 0) return;
    bucket.idle.clear();
    report(bucket);
    keys_.erase(bucket.key);
    bucket = {};
}

UpstreamConnection UpstreamPool::take(std::size_t index, net::SteadyTime now) noexcept {
    Bucket& bucket = buckets_[index];
    while (!bucket.idle.empty()) {
        Idle last = std::move(bucket.idle.back());
        bucket.idle.pop_back();
        const bool has_room = bucket.state->connections() <= bucket.limits.connections;
        if (has_room && usable(last, now)) return std::move(last.connection);
    }
    if (bucket.first != nullptr || !find_place(bucket)) return {};
    return UpstreamConnection(*this, index);
}

void UpstreamPool::put(std::size_t index, UpstreamConnection connection, net::SteadyTime now) {
    Bucket& bucket = buckets_[index];
    connection.end_use();
    if (!alive(*connection)) return;  // its place goes on from here
    if (bucket.first != nullptr) {
        // Others' turn: closed, and none of the waiters here has it.
        if (!hand_over(connection)) drop(connection);
        return;
    }
    const std::size_t open = bucket.state->connections();
    if (bucket.idle.size() >= limits_.idle_connections || open > bucket.limits.connections ||
        bucket.state->pending() > 0 || cleared_.is_set()) {
        return;
    }
    bucket.idle.push_back({std::move(connection), now});
    if (open == bucket.limits.connections && !watching_) spawn(watch());
}

// Whether this worker's waiters have passed places among each other for long enough, while there
// are others who can't have them.
bool UpstreamPool::others_turn(Bucket& bucket) const noexcept {
    if (bucket.state->pending() <= bucket.waiting) {
        bucket.turn_ends = net::SteadyTime::max();
        return false;
    }
    const net::SteadyTime now = reactor_.now();
    if (bucket.turn_ends == net::SteadyTime::max()) bucket.turn_ends = now + limits_.turn;
    if (now < bucket.turn_ends) return false;
    bucket.turn_ends = net::SteadyTime::max();
    bucket.hold_back = now + 3 * net::DeadlineWheel::kTick;  // they look each tick, or one late
    return true;
}

bool UpstreamPool::find_place(Bucket& bucket) noexcept {
    const bool others_first =
        bucket.state->pending() > bucket.waiting && reactor_.now() < bucket.hold_back;
    return !others_first && bucket.state->open_connection(bucket.limits.connections);
}

// To the first waiter, if there is one, its turn and room: then `connection` is empty.
bool UpstreamPool::hand_over(UpstreamConnection& connection) noexcept {
    Bucket& bucket = buckets_[connection.bucket_];
    if (bucket.first == nullptr || bucket.state->connections() > bucket.limits.connections ||
        others_turn(bucket)) {
        return false;
    }
    Waiter& waiter = *bucket.first;
    waiter.leave_queue();
    waiter.handed_ = std::move(connection);
    waiter.event_.set();
    return true;
}

void UpstreamPool::drop(UpstreamConnection& connection) noexcept {
    connection.close();
    connection.pool_ = nullptr;
    buckets_[connection.bucket_].state->close_connection();
}

void UpstreamPool::report(Bucket& bucket) noexcept {
    bucket.state->idle_changed(bucket.reported, bucket.idle.size());
    bucket.reported = bucket.idle.size();
}

void UpstreamPool::sweep(net::SteadyTime now) {
    const bool contended = yield_to_others();
    for (Bucket& bucket : buckets_) {
        if (bucket.holders == 0) continue;
        std::erase_if(bucket.idle, [&](const Idle& one) { return !usable(one, now); });
        report(bucket);
    }
    if (contended && !watching_) spawn(watch());
}

// Closes the longest idle ones of Backends that requests wait for. True while there are idle ones
// of a Backend that is at its limit: then it is to be asked again.
bool UpstreamPool::yield_to_others() noexcept {
    bool at_limit = false;
    for (Bucket& bucket : buckets_) {
        if (bucket.idle.empty()) continue;
        const std::size_t waiting = std::min(bucket.state->pending(), bucket.idle.size());
        bucket.idle.erase(bucket.idle.begin(),
                          bucket.idle.begin() + static_cast<std::ptrdiff_t>(waiting));
        at_limit = at_limit || (!bucket.idle.empty() &&
                                bucket.state->connections() >= bucket.limits.connections);
    }
    return at_limit;
}

// Runs while idle connections here may keep another worker's requests waiting.
Task<void> UpstreamPool::watch() {
    watching_ = true;
    do {
        net::WaitFor what;
        what.event = &cleared_;
        what.deadline = reactor_.now() + net::DeadlineWheel::kTick;
        co_await reactor_.wait(what);
    } while (yield_to_others());
    watching_ = false;
}

void UpstreamPool::close_idle() noexcept {
    for (Bucket& bucket : buckets_) {
        if (bucket.holders == 0) continue;
        bucket.idle.clear();
        report(bucket);
    }
}

void UpstreamPool::clear() noexcept {
    cleared_.set();
    close_idle();
}

std::size_t UpstreamPool::idle() const noexcept {
    std::size_t count = 0;
    for (const Bucket& bucket : buckets_) count += bucket.idle.size();
    return count;
}

}  // namespace rotary::upstream
