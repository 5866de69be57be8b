#include <rotary/fleet/replicas.hpp>

#include <rotary/fleet/suspension_scripts.hpp>

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace rotary::fleet {

std::string make_replica_id() {
    std::array<unsigned char, 8> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
        throw std::runtime_error("OpenSSL has no random numbers");
    }
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string id;
    for (const unsigned char byte : bytes) {
        id += kHex[byte >> 4];
        id += kHex[byte & 15];
    }
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
                   count_ = static_cast<std::size_t>(std::max<std::int64_t>(reply.integer, 1));
               });
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
