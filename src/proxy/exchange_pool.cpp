#include <rotary/proxy/exchange_pool.hpp>

#include "proxy/exchange.hpp"

#include <utility>

namespace rotary::proxy {

ExchangePool::Lease::Lease(ExchangePool& pool) : pool_(pool), exchange_(pool.take()) {}

ExchangePool::Lease::~Lease() { pool_.give_back(std::move(exchange_)); }

ExchangePool::ExchangePool() { free_.reserve(kKept); }

ExchangePool::~ExchangePool() = default;

std::unique_ptr<Exchange> ExchangePool::take() {
    if (free_.empty()) return std::make_unique<Exchange>();
    std::unique_ptr<Exchange> exchange = std::move(free_.back());
    free_.pop_back();
    return exchange;
}

void ExchangePool::give_back(std::unique_ptr<Exchange> exchange) noexcept {
    if (free_.size() < kKept) free_.push_back(std::move(exchange));
}

}  // namespace rotary::proxy
