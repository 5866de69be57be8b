#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rotary::llm {

// Takes the payloads out of a stream in Amazon's framing (application/vnd.amazon.eventstream): four
// bytes of the frame's length, four of its headers', a checksum, headers, payload, a checksum. The
// checksums are the client's to look at. What is no such stream has no payload.
class EventFrames {
public:
    // The next run of payload in `bytes`, which is taken off its front; empty: there is none left.
    std::string_view next(std::string_view& bytes) noexcept;
    // The run that next() gave last is the beginning of its frame's payload, and its end.
    bool begins() const noexcept { return begins_; }
    bool ends() const noexcept { return payload_ == 0; }

private:
    static constexpr std::size_t kPrelude = 12;
    static constexpr std::size_t kChecksum = 4;

    void read_prelude() noexcept;

    std::array<unsigned char, kPrelude> prelude_{};
    std::size_t prelude_size_ = 0;
    std::uint64_t headers_ = 0;  // what is left of each
    std::uint64_t payload_ = 0;
    std::uint64_t checksum_ = 0;
    bool is_fresh_ = false;  // nothing of the payload has come
    bool begins_ = false;
    bool is_broken_ = false;
};

}  // namespace rotary::llm
