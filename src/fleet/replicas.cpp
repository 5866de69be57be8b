#include <rotary/fleet/replicas.hpp>

#include <rotary/fleet/suspension_scripts.hpp>

#include <algorithm>
#include <random>
#include <utility>

namespace rotary::fleet {

std::string make_replica_id() {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::random_device random;
    std::string id;
    while (id.size() < 16) id += kHex[random() % kHex.size()];
    return id;
}

Replicas::Replicas(Store& store, std::shared_ptr<Timers> timers, std::string_view name_space,
                   std::string replica)
    : store_(store),
      timers_(std::move(timers)),
      key_(fleet_key(name_space, "r")),
      replica_(std::move(replica)) {
    store_.listen(*this);
    each_pause();
}

Replicas::~Replicas() {
    *alive_ = false;
    store_.unlisten(*this);
}

void Replicas::on_ready() { say(); }

void Replicas::say() {
    if (leaving_ || !store_.is_ready()) return;
    const std::string gone = std::to_string(std::chrono::milliseconds(kGone).count());
    store_.run(present_script(), {key_}, {replica_, gone},
               [this, alive = alive_](const Reply& reply) {
                   if (!*alive || reply.kind != Reply::Kind::integer) return;
                   heard(static_cast<std::size_t>(std::max<std::int64_t>(reply.integer, 1)));
               });
}

void Replicas::heard(std::size_t count) {
    count_ = count;
    const SteadyTime now = timers_->now();
    if (count < parts_ && now - parts_at_ < kGone) return;
    parts_ = count;
    parts_at_ = now;
}

void Replicas::each_pause() {
    say();
    timers_->after(kPause, [this, alive = alive_] {
        if (*alive && !leaving_) each_pause();
    });
}

void Replicas::leave(std::function<void()> left) {
    if (std::exchange(leaving_, true)) return left();
    store_.run(leave_script(), {key_}, {replica_},
               [left = std::move(left)](const Reply&) { left(); });
}

}  // namespace rotary::fleet
