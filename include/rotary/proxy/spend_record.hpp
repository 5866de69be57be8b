#pragma once

#include <rotary/proxy/observer.hpp>
#include <rotary/quota/spend.hpp>

#include <functional>
#include <utility>

namespace rotary::proxy {

// What each exchange used and cost, into the outbox that the ledger takes it from. One worker's.
class SpendRecord final : public Observer {
public:
    // `on_first`: the outbox was empty, a hand-over is due.
    SpendRecord(quota::SpendOutbox& outbox, std::function<void()> on_first)
        : outbox_(outbox), on_first_(std::move(on_first)) {}
    void record(const Exchange& exchange, SteadyTime now) override;
    quota::SpendOutbox& outbox() noexcept { return outbox_; }

private:
    quota::SpendOutbox& outbox_;
    std::function<void()> on_first_;
};

}  // namespace rotary::proxy
