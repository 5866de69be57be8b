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
    // Into how many parts a limit is to be divided: as many as there were at any time in kGone. A
    // store that was emptied hears of them one after the other, and no part is larger for that.
    std::size_t parts() const noexcept { return parts_; }
    // The others learn of it at their next word. Once, then it is silent.
    void leave(std::function<void()> left);

    void on_ready() override;
    void on_lost() override {}
    void on_message(std::string_view) override {}

private:
    void say();
    void heard(std::size_t count);
    void each_pause();

    Store& store_;
    const std::shared_ptr<Timers> timers_;
    const std::string key_;
    const std::string replica_;
    std::size_t count_ = 1;
    std::size_t parts_ = 1;
    SteadyTime parts_at_{};  // when there were as many
    bool leaving_ = false;
    const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace rotary::fleet
