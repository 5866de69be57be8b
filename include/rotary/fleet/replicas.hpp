#pragma once

#include <rotary/fleet/store.hpp>
#include <rotary/fleet/timers.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace rotary::fleet {

// 16 hex digits, random: what this process is called as long as it runs.
std::string make_replica_id();

// How many replicas there are: each says every 5 s that it is there. Control thread.
class Replicas final : public Store::Listener {
public:
    static constexpr std::chrono::seconds kPause{5};
    static constexpr std::chrono::seconds kGone{15};  // without a word

    Replicas(Store& store, std::shared_ptr<Timers> timers, std::string_view name_space,
             std::string replica);
    ~Replicas() override;

    // As last heard of, this one too: at least 1. It stands while the store is away.
    std::size_t count() const noexcept { return count_; }
    // The others learn of it at their next word. Once, then it is silent.
    void leave(std::function<void()> left);

    void on_ready() override;
    void on_lost() override {}
    void on_message(std::string_view) override {}

private:
    void say();
    void each_pause();

    Store& store_;
    const std::shared_ptr<Timers> timers_;
    const std::string key_;
    const std::string replica_;
    std::size_t count_ = 1;
    bool leaving_ = false;
    const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace rotary::fleet
