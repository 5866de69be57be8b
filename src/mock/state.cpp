#include <mock/state.hpp>

#include <cmath>

namespace rotary::mock {

namespace {

constexpr std::uint64_t kMillion = 1'000'000;
constexpr std::size_t kMostModels = 1000;
// Where a sum of failures starts: the first failure comes in the middle of its run.
constexpr std::uint64_t kHalf = kMillion / 2;
// A thousand requests of 64 MiB must not fill the machine: older bodies go first.
constexpr std::size_t kKeptBytes = std::size_t{256} << 20;

}  // namespace

State::State(MockOptions options) : options_(std::move(options)) {
    for (const MockQuota& quota : options_.quotas) {
        windows_[quota.model] = Window{quota, {}, 0};
    }
    for (const MockFailRate& rate : options_.fail_rates) {
        const auto step = std::llround(rate.fraction * static_cast<double>(kMillion));
        failures_.push_back({rate.status, step > 0 ? static_cast<std::uint64_t>(step) : 0, kHalf});
    }
}

void State::record(std::shared_ptr<const Captured> request) {
    const std::lock_guard lock(mutex_);
    ++request_count_;
    kept_bytes_ += request->body.size();
    requests_.push_back(std::move(request));
    while (requests_.size() > options_.kept_requests ||
           (kept_bytes_ > kKeptBytes && requests_.size() > 1)) {
        kept_bytes_ -= requests_.front()->body.size();
        requests_.pop_front();
    }
    changed_.notify_all();
}

void State::record_usage(MockUsage usage) {
    const std::lock_guard lock(mutex_);
    if (usage.was_sent) {
        // Clients name models: beyond so many they count together.
        const bool has_room = usage_sums_.size() < kMostModels || usage_sums_.contains(usage.model);
        UsageSum& sum = usage_sums_[has_room ? usage.model : "(others)"];
        ++sum.answers;
        if (usage.was_told) ++sum.told;
        sum.input += usage.input;
        sum.output += usage.output;
    }
    if (usage_.size() < options_.kept_usage) usage_.push_back(std::move(usage));
    changed_.notify_all();
}

std::vector<MockUsage> State::usage() const {
    const std::lock_guard lock(mutex_);
    return usage_;
}

std::map<std::string, State::UsageSum> State::usage_sums() const {
    const std::lock_guard lock(mutex_);
    return usage_sums_;
}

void State::connection_opened() {
    const std::lock_guard lock(mutex_);
    ++accepted_;
    ++open_;
    changed_.notify_all();
}

void State::connection_closed() {
    const std::lock_guard lock(mutex_);
    --open_;
    changed_.notify_all();
}

std::uint64_t State::connections_accepted() const {
    const std::lock_guard lock(mutex_);
    return accepted_;
}

std::size_t State::open_connections() const {
    const std::lock_guard lock(mutex_);
    return open_;
}

std::vector<std::shared_ptr<const Captured>> State::requests() const {
    const std::lock_guard lock(mutex_);
    return {requests_.begin(), requests_.end()};
}

std::uint64_t State::request_count() const {
    const std::lock_guard lock(mutex_);
    return request_count_;
}

bool State::wait_for_requests(std::uint64_t count, std::chrono::nanoseconds timeout) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, Clock::now() + timeout,
                               [&] { return request_count_ >= count; });
}

bool State::wait_for_open_connections(std::size_t count, std::chrono::nanoseconds timeout) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, Clock::now() + timeout, [&] { return open_ == count; });
}

void State::set_fault(const std::string& model, MockFault fault, std::uint64_t times) {
    const std::lock_guard lock(mutex_);
    faults_[model] = ArmedFault{std::move(fault), times};
}

void State::clear_faults() {
    const std::lock_guard lock(mutex_);
    faults_.clear();
}

void State::reset() {
    const std::lock_guard lock(mutex_);
    requests_.clear();
    kept_bytes_ = 0;
    request_count_ = 0;
    usage_.clear();
    usage_sums_.clear();
    for (auto& [model, window] : windows_) {
        window.ends = {};
        window.used = 0;
    }
    for (FailureSum& failure : failures_) failure.sum = kHalf;
    changed_.notify_all();
}

MockFault State::take_fault(std::string_view model) {
    const std::lock_guard lock(mutex_);
    if (faults_.empty()) return {};
    auto found = model.empty() ? faults_.end() : faults_.find(model);
    if (found == faults_.end()) found = faults_.find("*");
    if (found == faults_.end()) return {};
    ArmedFault& armed = found->second;
    if (armed.times == MockProvider::kAlways) return armed.fault;
    MockFault fault = armed.fault;
    if (armed.times <= 1) {
        if (armed.times == 0) fault = {};
        faults_.erase(found);
    } else {
        --armed.times;
    }
    return fault;
}

unsigned State::take_failure() {
    if (options_.fail_rates.empty()) return 0;
    const std::lock_guard lock(mutex_);
    unsigned status = 0;
    // Two rates may fall due with one request: the second then fires with the next.
    for (FailureSum& failure : failures_) {
        failure.sum += failure.step;
        if (status == 0 && failure.sum >= kMillion) {
            failure.sum -= kMillion;
            status = failure.status;
        }
    }
    return status;
}

QuotaVerdict State::take_quota(std::string_view model, Clock::time_point now) {
    if (options_.quotas.empty()) return {};
    const std::lock_guard lock(mutex_);
    const auto found = windows_.find(model);
    if (found == windows_.end()) return {};
    Window& window = found->second;
    if (now >= window.ends) {
        window.ends = now + window.quota.window;
        window.used = 0;
    }
    QuotaVerdict verdict;
    verdict.limited = true;
    verdict.limit = window.quota.requests;
    verdict.reset_in = window.ends - now;
    verdict.refused = window.used >= window.quota.requests;
    if (!verdict.refused) ++window.used;
    verdict.remaining = window.quota.requests - window.used;
    return verdict;
}

}  // namespace rotary::mock
