#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace rotary::wire {

// One JSON object on a line of its own, appended to a caller's string: what a request's end costs.
// It is put together in a block here, since each append to a string asks for room and is a call,
// and moved there whenever the block is full. A member's name is a literal with all that stands
// before its value, `,"status":`; the first one begins with `{`. Values are escaped and made valid
// UTF-8.
class JsonLine {
public:
    explicit JsonLine(std::string& out) noexcept : out_(out) {}
    JsonLine(const JsonLine&) = delete;
    JsonLine& operator=(const JsonLine&) = delete;

    template <std::size_t size>
    void string(const char (&name)[size], std::string_view value) {
        raw(name);
        add_string(value);
    }
    template <std::size_t size>
    void number(const char (&name)[size], std::uint64_t value) {
        raw(name);
        add_number(value);
    }
    // In milliseconds with three decimals, cut off: 1.234.
    template <std::size_t size>
    void milliseconds(const char (&name)[size], std::chrono::nanoseconds value) {
        raw(name);
        add_milliseconds(value);
    }
    template <std::size_t size>
    void raw(const char (&text)[size]) {
        static_assert(size <= kRoom);
        std::memcpy(block_.data() + size_, text, size - 1);
        size_ += size - 1;
        make_room();
    }
    void end();  // of the object and the line; nothing may follow

private:
    static constexpr std::size_t kBytes = 2048;
    static constexpr std::size_t kRoom = 64;  // there always is as much, for a name or a number

    void add_string(std::string_view value);
    void add_number(std::uint64_t value);
    void add_milliseconds(std::chrono::nanoseconds value);
    void make_room() {
        if (kBytes - size_ < kRoom) move();
    }
    void move();  // to the caller's string

    std::string& out_;
    std::size_t size_ = 0;
    std::array<char, kBytes> block_;
};

}  // namespace rotary::wire
