#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/base/log.hpp>
#include <rotary/base/metrics.hpp>
#include <rotary/control/ledger_file.hpp>
#include <rotary/quota/spend.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace rotary::control {

struct LedgerOptions {
    std::string path;
    std::string currency;
    std::size_t most_cells = 0;  // of sums that wait to be written
};

// LedgerFile::days_after() of the ledger's thread.
struct DaysAsked {
    std::uint64_t after = 0;
    std::int64_t first = 0;
    std::size_t most = 0;
    // Called on the ledger's thread; nothing: the file can't be read, which is told.
    std::function<void(std::optional<DayPage> page)> then;
};

// Takes what the workers have spent and writes it: a thread of its own, so that a slow disk holds
// up nothing else. What can't be written stays and is tried again each second; what there is no
// room for is summed under "(others)". Made and stopped on the control thread; the outboxes are
// the workers', whom it outlives.
class Ledger {
public:
    // Throws LedgerRefused. A file that can't be opened for another reason is only told of.
    Ledger(LedgerOptions options, Logger& log);
    ~Ledger();
    Ledger(const Ledger&) = delete;
    Ledger& operator=(const Ledger&) = delete;

    // One a worker; before the workers start.
    quota::SpendOutbox& add_outbox();
    void set_most_cells(std::size_t cells) noexcept {
        most_cells_.store(cells, std::memory_order_relaxed);
    }
    void wake();  // something was handed over; any thread
    // What is not answered when it stops is not answered any more. Any thread.
    void ask_days(DaysAsked asked);
    // Writes what is left, once the workers are gone.
    void stop();
    void sample(metrics::Exposition& out) const;

private:
    static constexpr std::chrono::seconds kRetry{1};
    static constexpr std::chrono::seconds kBetweenLines{
        60};  // that tell of one and the same trouble

    void run();
    void gather();
    bool write_pending();  // whether all of it is written
    void open();
    void answer_days(const DaysAsked& asked);

    const LedgerOptions options_;
    Logger& log_;
    std::vector<std::unique_ptr<quota::SpendOutbox>> outboxes_;
    std::atomic<std::size_t> most_cells_;
    std::atomic<std::uint64_t> writes_{0};
    std::atomic<std::uint64_t> failures_{0};
    std::atomic<std::uint64_t> crowded_{0};  // sums that found no room of their own
    std::atomic<std::size_t> waiting_{0};    // sums not yet written

    // The thread's own.
    std::unique_ptr<LedgerFile> file_;  // null: it could not be opened
    quota::SpendTable pending_;
    quota::SpendTable taken_;
    bool has_failed_ = false;
    SteadyTime next_line_{};
    SteadyTime next_days_line_{};

    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_woken_ = false;  // all guarded by the mutex
    bool is_stopping_ = false;
    std::vector<DaysAsked> asked_;  // idem
    std::thread thread_;
};

}  // namespace rotary::control
