#include <rotary/control/ledger.hpp>

#include <pthread.h>

#include <exception>
#include <utility>

namespace rotary::control {

Ledger::Ledger(LedgerOptions options, Logger& log)
    : options_(std::move(options)), log_(log), most_cells_(options_.most_cells) {
    try {
        open();
    } catch (const LedgerRefused&) {
        throw;
    } catch (const std::exception& error) {
        log_.error("the ledger can't be opened; it is tried again", {{"error", error.what()}});
        has_failed_ = true;
    }
    thread_ = std::thread([this] {
        pthread_setname_np(pthread_self(), "ledger");
        run();
    });
}

Ledger::~Ledger() { stop(); }

void Ledger::open() { file_ = std::make_unique<LedgerFile>(options_.path, options_.currency); }

quota::SpendOutbox& Ledger::add_outbox() {
    const std::lock_guard lock(mutex_);
    outboxes_.push_back(std::make_unique<quota::SpendOutbox>());
    return *outboxes_.back();
}

void Ledger::wake() {
    {
        const std::lock_guard lock(mutex_);
        is_woken_ = true;
    }
    changed_.notify_one();
}

void Ledger::ask_days(DaysAsked asked) {
    {
        const std::lock_guard lock(mutex_);
        asked_.push_back(std::move(asked));
    }
    changed_.notify_one();
}

void Ledger::stop() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
    // The workers are gone: what they had yet to hand over is taken for them.
    gather();
    for (const auto& outbox : outboxes_) outbox->hand_over();
    gather();
    if (!write_pending()) {
        log_.error("the ledger was not written to its end", {{"sums", pending_.size()}});
    }
    file_.reset();
}

void Ledger::run() {
    std::unique_lock lock(mutex_);
    while (!is_stopping_) {
        const auto due = [this] { return is_woken_ || is_stopping_ || !asked_.empty(); };
        if (pending_.empty()) {
            changed_.wait(lock, due);
        } else {
            // It has failed: news only gathers until it is tried again.
            changed_.wait_for(lock, kRetry, [this] { return is_stopping_; });
        }
        is_woken_ = false;
        const std::vector<DaysAsked> asked = std::exchange(asked_, {});
        lock.unlock();
        gather();
        write_pending();
        for (const DaysAsked& one : asked) answer_days(one);
        lock.lock();
    }
}

void Ledger::gather() {
    const std::size_t most = most_cells_.load(std::memory_order_relaxed);
    for (const auto& outbox : outboxes_) {
        outbox->take(taken_);
        if (taken_.empty()) continue;
        const std::size_t crowded = pending_.add_all(taken_, most);
        crowded_.fetch_add(crowded, std::memory_order_relaxed);
        taken_.clear();
    }
    waiting_.store(pending_.size(), std::memory_order_relaxed);
}

bool Ledger::write_pending() {
    if (pending_.empty()) return true;
    try {
        if (!file_) open();
        file_->write(pending_);
    } catch (const std::exception& error) {
        failures_.fetch_add(1, std::memory_order_relaxed);
        const SteadyTime now = std::chrono::steady_clock::now();
        if (!std::exchange(has_failed_, true) || now >= next_line_) {
            next_line_ = now + kBetweenLines;
            log_.error("the ledger can't be written; what was spent is kept and tried again",
                       {{"error", error.what()}, {"sums", pending_.size()}});
        }
        file_.reset();  // another file may stand in its place by then
        return false;
    }
    pending_.clear();
    writes_.fetch_add(1, std::memory_order_relaxed);
    waiting_.store(0, std::memory_order_relaxed);
    if (std::exchange(has_failed_, false)) {
        log_.info("the ledger is written again", {{"file", options_.path}});
    }
    return true;
}

void Ledger::answer_days(const DaysAsked& asked) {
    std::optional<DayPage> page;
    try {
        if (!file_) open();
        page = file_->days_after(asked.after, asked.first, asked.most);
    } catch (const std::exception& error) {
        const SteadyTime now = std::chrono::steady_clock::now();
        if (now >= next_days_line_) {
            next_days_line_ = now + kBetweenLines;
            log_.error("the ledger's days can't be read; other replicas don't learn of them",
                       {{"error", error.what()}});
        }
        file_.reset();
    }
    asked.then(std::move(page));
}

void Ledger::sample(metrics::Exposition& out) const {
    std::uint64_t crowded = crowded_.load(std::memory_order_relaxed);
    for (const auto& outbox : outboxes_) crowded += outbox->crowded();
    out.counter("rotary_ledger_writes_total", "Transactions that the ledger has taken.", {},
                static_cast<double>(writes_.load(std::memory_order_relaxed)));
    out.counter("rotary_ledger_failures_total",
                "Transactions that the ledger did not take; they are tried again.", {},
                static_cast<double>(failures_.load(std::memory_order_relaxed)));
    out.counter("rotary_ledger_crowded_total",
                "Sums that were put together under \"(others)\" for want of room.", {},
                static_cast<double>(crowded));
    out.gauge("rotary_ledger_waiting", "Sums that wait to be written to the ledger.", {},
              static_cast<double>(waiting_.load(std::memory_order_relaxed)));
}

}  // namespace rotary::control
