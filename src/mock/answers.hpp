#pragma once

#include <mock/asked.hpp>
#include <mock/state.hpp>

namespace rotary::mock {

// How an answer ends when its bytes were sent, or `cut_at` of them.
enum class End { keep_alive, fin, reset, stall, truncate };

// One answer, on its way to the wire.
struct Answer {
    unsigned status = 200;
    std::string header_lines;  // "name: value\r\n", framing and Connection left to encode()
    std::string body;
    bool stream = false;
    bool own_headers = false;         // canned: nothing is added but its framing
    bool bare = false;                // `body` is all there is: no head, no framing
    std::vector<std::string> events;  // of a stream, each flushed on its own
    std::chrono::nanoseconds delay{};
    std::chrono::nanoseconds interval{};
    End end = End::keep_alive;
    static constexpr std::uint64_t kUncut = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t cut_at = kUncut;
    std::optional<MockUsage> usage{};  // of a request that is served and used tokens
};

// What of a request's head decides how its answer is framed.
struct Framing {
    bool keep_alive = true;
    bool http11 = true;
    bool head_only = false;  // the method was HEAD
};

// The bytes of an answer, one element a write.
std::vector<std::string> encode(Answer& answer, const Framing& framing);

// OpenAI's error object with this status; the type and code it usually has there.
Answer error_answer(unsigned status);
Answer error_answer(unsigned status, std::string_view type, std::string_view code,
                    std::string_view message);

// Makes the answers; lives on the provider's thread and shares `state` with the tests'.
class Answers {
public:
    explicit Answers(State& state);

    // Records the request, unless it is for the mock itself, and decides.
    Answer answer(std::shared_ptr<const Captured> request);

private:
    Answer control(const Captured& request, std::string_view path);
    Answer captured_requests() const;
    Answer told_usage() const;
    Answer models() const;
    Answer decide(const Captured& request, std::string_view path);
    Answer faulty(const MockFault& fault, const Captured& request, const Asked& asked,
                  std::string_view path);
    Answer regular(const Captured& request, const Asked& asked, std::string_view path);
    Answer served(const Asked& asked);
    void note_usage(Answer& answer, const Asked& asked) const;
    bool serves(std::string_view model) const;

    State& state_;
    std::vector<std::string> words_;  // escaped, as they stand in a chunk
    std::uint64_t next_id_ = 0;
};

}  // namespace rotary::mock
