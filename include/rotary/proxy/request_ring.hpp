#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/base/fault.hpp>
#include <rotary/proxy/live_counts.hpp>
#include <rotary/proxy/observer.hpp>
#include <rotary/rotation/verdict.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace rotary::proxy {

// A request as operators are shown it, by value: it refers to no configuration, so it keeps none
// alive. Names are clipped. Never a body, a token or a key: there is no field for one.
struct RequestRecord {
    static constexpr std::size_t kText = 1280;
    static constexpr std::size_t kTries = 12;

    struct Words {
        std::uint16_t at = 0;
        std::uint16_t size = 0;
    };
    struct Try {
        std::chrono::nanoseconds started{0};  // since the request began
        std::chrono::nanoseconds head{0};     // until the provider's head; zero: none came
        std::chrono::nanoseconds took{0};
        Words model;
        Words backend;
        std::uint16_t status = 0;
        FaultKind fault = FaultKind::none;
        rotation::Failure failure = rotation::Failure::none;
        rotation::Effect effect = rotation::Effect::none;
        bool is_probe = false;
        bool reused_connection = false;
        bool failed_over = false;
    };

    WallTime started;
    std::chrono::nanoseconds duration{0};
    std::chrono::nanoseconds first_byte{0};  // zero: no answer came from a provider
    std::chrono::nanoseconds overhead{0};
    std::array<char, 36> id{};
    std::uint16_t status = 0;
    bool stream = false;
    FaultKind fault = FaultKind::none;
    const char* reason = "";  // a literal
    unsigned attempts = 0;
    std::uint64_t input_tokens = 0;
    std::uint64_t output_tokens = 0;
    std::optional<std::int64_t> cost;  // in nanodollars
    Words method, path, host, consumer, api, environment, client_model, model, backend, limit;
    std::size_t missed_tries = 0;  // before the last
    std::size_t tries_kept = 0;
    std::array<Try, kTries> tries;

    std::string_view words(Words which) const noexcept {
        return {text.data() + which.at, which.size};
    }
    Words keep(std::string_view value, std::size_t most) noexcept;

    std::size_t text_size = 0;
    std::array<char, kText> text;
};

// The last requests of one worker, for those who look at them; single-threaded but for live(). Its
// places are taken at once, so that noting a request costs a copy of some hundred bytes.
class RequestRing final : public Observer {
public:
    explicit RequestRing(std::size_t places) : places_(places) {}

    void record(const Exchange& exchange, SteadyTime now) override;
    void resize(std::size_t places);  // forgets them, where that is another number
    // The newest first.
    void copy_latest(std::size_t most, std::vector<RequestRecord>& out) const;
    const LiveCounts& live() const noexcept { return live_; }  // any thread

private:
    LiveCounts live_;
    std::vector<RequestRecord> places_;
    std::uint64_t noted_ = 0;
};

}  // namespace rotary::proxy
