#include <rotary/wire/json_writer.hpp>

#include "wire/json_milliseconds.hpp"

#include <rotary/base/json_text.hpp>

#include <array>
#include <charconv>
#include <cmath>

namespace rotary::wire {

namespace {

template <class Number>
void append(std::string& out, Number value) {
    std::array<char, 32> digits;
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    out.append(digits.data(), end);
}

}  // namespace

JsonWriter& JsonWriter::open(char bracket) {
    separate();
    out_ += bracket;
    comma_ = false;
    return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
    out_ += bracket;
    comma_ = true;
    return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
    separate();
    out_.append("\"").append(name).append("\":");
    comma_ = false;
    return *this;
}

JsonWriter& JsonWriter::string(std::string_view value) {
    separate();
    text::append_json_string(out_, value);
    return *this;
}

JsonWriter& JsonWriter::real(double value) {
    if (!std::isfinite(value)) return null();
    separate();
    append(out_, value);
    return *this;
}

JsonWriter& JsonWriter::milliseconds(std::chrono::nanoseconds value) {
    separate();
    std::array<char, kMillisecondsBytes> text;
    out_.append(text.data(), write_milliseconds(text.data(), value));
    return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
    separate();
    out_ += json;
    return *this;
}

JsonWriter& JsonWriter::signed_number(std::int64_t value) {
    separate();
    append(out_, value);
    return *this;
}

JsonWriter& JsonWriter::unsigned_number(std::uint64_t value) {
    separate();
    append(out_, value);
    return *this;
}

}  // namespace rotary::wire
