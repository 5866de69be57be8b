#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace rotary::proxy {

struct Exchange;

// One worker's exchanges, which sessions hold while a request is there and not between two: an idle
// connection costs none. As many are kept for the next requests as were ever in flight together, up
// to kKept. Single-threaded.
class ExchangePool {
public:
    // An exchange from the pool, as its last request left it, until the lease ends.
    class Lease {
    public:
        explicit Lease(ExchangePool& pool);
        ~Lease();
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;

        Exchange& operator*() const noexcept { return *exchange_; }

    private:
        ExchangePool& pool_;
        std::unique_ptr<Exchange> exchange_;
    };

    ExchangePool();
    ~ExchangePool();
    ExchangePool(const ExchangePool&) = delete;
    ExchangePool& operator=(const ExchangePool&) = delete;

    std::size_t kept() const noexcept { return free_.size(); }

private:
    static constexpr std::size_t kKept = 1024;  // a megabyte or so

    std::unique_ptr<Exchange> take();
    void give_back(std::unique_ptr<Exchange> exchange) noexcept;

    std::vector<std::unique_ptr<Exchange>> free_;
};

}  // namespace rotary::proxy
