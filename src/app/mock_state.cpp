#include <app/mock_state.hpp>

#include <cmath>

namespace rotary::app::mock {

namespace {

constexpr std::uint64_t kMillion = 1'000'000;
// Where a sum of failures starts: the first failure comes in the middle of its run.
constexpr std::uint64_t kHalf = kMillion / 2;
// A thousand requests of 64 MiB must not fill the machine: older bodies go first.
constexpr std::size_t kKeptBytes = std::size_t{256} << 20;

}  // namespace

State::State(MockOptions options) : x_options(std::move(options)) {
    for (const MockQuota& quota : x_options.quotas) {
        x_windows[quota.model] = Window{quota, {}, 0};
    }
    for (const MockFailRate& rate : x_options.fail_rates) {
        const auto step = std::llround(rate.fraction * static_cast<double>(kMillion));
        x_failures.push_back({rate.status, step > 0 ? static_cast<std::uint64_t>(step) : 0, kHalf});
    }
}

void State::record(std::shared_ptr<const Captured> request) {
    const std::lock_guard lock(x_mutex);
    ++x_request_count;
    x_kept_bytes += request->body.size();
    x_requests.push_back(std::move(request));
    while (x_requests.size() > x_options.kept_requests ||
           (x_kept_bytes > kKeptBytes && x_requests.size() > 1)) {
        x_kept_bytes -= x_requests.front()->body.size();
        x_requests.pop_front();
    }
    x_changed.notify_all();
}

void State::connection_opened() {
    const std::lock_guard lock(x_mutex);
    ++x_accepted;
    ++x_open;
    x_changed.notify_all();
}

void State::connection_closed() {
    const std::lock_guard lock(x_mutex);
    --x_open;
    x_changed.notify_all();
}

std::uint64_t State::connections_accepted() const {
    const std::lock_guard lock(x_mutex);
    return x_accepted;
}

std::size_t State::open_connections() const {
    const std::lock_guard lock(x_mutex);
    return x_open;
}

std::vector<std::shared_ptr<const Captured>> State::requests() const {
    const std::lock_guard lock(x_mutex);
    return {x_requests.begin(), x_requests.end()};
}

std::uint64_t State::request_count() const {
    const std::lock_guard lock(x_mutex);
    return x_request_count;
}

bool State::wait_for_requests(std::uint64_t count, std::chrono::nanoseconds timeout) const {
    std::unique_lock lock(x_mutex);
    return x_changed.wait_until(lock, Clock::now() + timeout,
                                [&] { return x_request_count >= count; });
}

bool State::wait_for_open_connections(std::size_t count, std::chrono::nanoseconds timeout) const {
    std::unique_lock lock(x_mutex);
    return x_changed.wait_until(lock, Clock::now() + timeout, [&] { return x_open == count; });
}

void State::set_fault(const std::string& model, MockFault fault, std::uint64_t times) {
    const std::lock_guard lock(x_mutex);
    x_faults[model] = ArmedFault{std::move(fault), times};
}

void State::clear_faults() {
    const std::lock_guard lock(x_mutex);
    x_faults.clear();
}

void State::reset() {
    const std::lock_guard lock(x_mutex);
    x_requests.clear();
    x_kept_bytes = 0;
    x_request_count = 0;
    for (auto& [model, window] : x_windows) {
        window.ends = {};
        window.used = 0;
    }
    for (FailureSum& failure : x_failures) failure.sum = kHalf;
    x_changed.notify_all();
}

MockFault State::take_fault(std::string_view model) {
    const std::lock_guard lock(x_mutex);
    if (x_faults.empty()) return {};
    auto found = model.empty() ? x_faults.end() : x_faults.find(model);
    if (found == x_faults.end()) found = x_faults.find("*");
    if (found == x_faults.end()) return {};
    ArmedFault& armed = found->second;
    if (armed.times == MockProvider::kAlways) return armed.fault;
    MockFault fault = armed.fault;
    if (armed.times <= 1) {
        if (armed.times == 0) fault = {};
        x_faults.erase(found);
    } else {
        --armed.times;
    }
    return fault;
}

unsigned State::take_failure() {
    if (x_options.fail_rates.empty()) return 0;
    const std::lock_guard lock(x_mutex);
    unsigned status = 0;
    // Two rates may fall due with one request: the second then fires with the next.
    for (FailureSum& failure : x_failures) {
        failure.sum += failure.step;
        if (status == 0 && failure.sum >= kMillion) {
            failure.sum -= kMillion;
            status = failure.status;
        }
    }
    return status;
}

QuotaVerdict State::take_quota(std::string_view model, Clock::time_point now) {
    if (x_options.quotas.empty()) return {};
    const std::lock_guard lock(x_mutex);
    const auto found = x_windows.find(model);
    if (found == x_windows.end()) return {};
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

}  // namespace rotary::app::mock
