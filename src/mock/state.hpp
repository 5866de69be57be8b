#pragma once

#include <rotary/mock/provider.hpp>

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>

namespace rotary::mock {

using Clock = std::chrono::steady_clock;

// What the quota of a model says to one more request.
struct QuotaVerdict {
    bool limited = false;  // the model has a quota at all
    bool refused = false;
    std::uint64_t limit = 0;
    std::uint64_t remaining = 0;
    std::chrono::nanoseconds reset_in{};
};

// What the provider remembers between requests. Shared by the provider's thread, which writes while
// it answers, and those that test it, which read and set faults: one mutex over everything.
class State {
public:
    explicit State(MockOptions options);

    const MockOptions& options() const { return options_; }

    void record(std::shared_ptr<const Captured> request);
    void connection_opened();
    void connection_closed();
    std::uint64_t connections_accepted() const;
    std::size_t open_connections() const;

    std::vector<std::shared_ptr<const Captured>> requests() const;
    std::uint64_t request_count() const;
    void record_usage(MockUsage usage);
    std::vector<MockUsage> usage() const;
    // Of the answers that were sent to their end, by model.
    struct UsageSum {
        std::uint64_t answers = 0;
        std::uint64_t told = 0;
        std::uint64_t input = 0;
        std::uint64_t output = 0;
    };
    std::map<std::string, UsageSum> usage_sums() const;
    bool wait_for_requests(std::uint64_t count, std::chrono::nanoseconds timeout) const;
    bool wait_for_open_connections(std::size_t count, std::chrono::nanoseconds timeout) const;

    void set_fault(const std::string& model, MockFault fault, std::uint64_t times);
    void clear_faults();
    void reset();

    // Kind::none when nothing is to go wrong. Takes one from the fault's count.
    MockFault take_fault(std::string_view model);
    // The status this request fails with by --fail-rate; 0: none.
    unsigned take_failure();
    QuotaVerdict take_quota(std::string_view model, Clock::time_point now);

private:
    struct ArmedFault {
        MockFault fault;
        std::uint64_t times = 0;
    };
    struct Window {
        MockQuota quota;
        Clock::time_point ends{};
        std::uint64_t used = 0;
    };
    // Millionths of a failure that have piled up: exact, where a sum of doubles would drift.
    struct FailureSum {
        unsigned status = 0;
        std::uint64_t step = 0;
        std::uint64_t sum = 0;
    };

    const MockOptions options_;
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::deque<std::shared_ptr<const Captured>> requests_;
    std::size_t kept_bytes_ = 0;
    std::uint64_t request_count_ = 0;
    std::vector<MockUsage> usage_;
    std::map<std::string, UsageSum> usage_sums_;
    std::uint64_t accepted_ = 0;
    std::size_t open_ = 0;
    std::map<std::string, ArmedFault, std::less<>> faults_;
    std::map<std::string, Window, std::less<>> windows_;
    std::vector<FailureSum> failures_;
};

}  // namespace rotary::mock
