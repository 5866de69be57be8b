#pragma once

#include <rotary/base/metrics.hpp>
#include <rotary/proxy/observer.hpp>

namespace rotary::proxy {

// Counts requests and their times, by route: rotary_requests_total and its like. One worker's.
class RequestMetrics final : public Observer {
public:
    explicit RequestMetrics(metrics::Shard& shard) noexcept : shard_(shard) {}
    void record(const Exchange& exchange, SteadyTime now) override;

private:
    metrics::Shard& shard_;
};

}  // namespace rotary::proxy
