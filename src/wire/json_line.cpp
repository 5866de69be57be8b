#include <rotary/wire/json_line.hpp>

#include "wire/json_milliseconds.hpp"

#include <rotary/base/json_text.hpp>

#include <charconv>

namespace rotary::wire {

void JsonLine::move() {
    out_.append(block_.data(), size_);
    size_ = 0;
}

void JsonLine::add_string(std::string_view value) {
    if (value.size() + 2 > kBytes - kRoom || !text::is_plain_json(value)) {
        move();
        return text::append_json_string(out_, value);
    }
    if (value.size() + 2 > kBytes - kRoom - size_) move();
    char* at = block_.data() + size_;
    *at++ = '"';
    if (!value.empty()) std::memcpy(at, value.data(), value.size());  // from nowhere it may not
    at[value.size()] = '"';
    size_ += value.size() + 2;
    make_room();
}

void JsonLine::add_number(std::uint64_t value) {
    char* const at = block_.data() + size_;
    size_ += static_cast<std::size_t>(std::to_chars(at, at + kRoom, value).ptr - at);
    make_room();
}

void JsonLine::add_milliseconds(std::chrono::nanoseconds value) {
    static_assert(kMillisecondsBytes <= kRoom);
    char* const at = block_.data() + size_;
    size_ += static_cast<std::size_t>(write_milliseconds(at, value) - at);
    make_room();
}

void JsonLine::end() {
    raw("}\n");
    move();
}

}  // namespace rotary::wire
