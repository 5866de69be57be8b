#include <rotary/base/json_text.hpp>
#include <rotary/wire/json_writer.hpp>

#include <algorithm>
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
    std::array<char, 64> text;  // put together here, since each append asks for room
    if (name.size() > text.size() - 4) {
        separate();
        out_.append("\"").append(name).append("\":");
    } else {
        char* at = text.data();
        if (comma_) *at++ = ',';
        *at++ = '"';
        at = std::copy(name.begin(), name.end(), at);
        *at++ = '"';
        *at++ = ':';
        out_.append(text.data(), static_cast<std::size_t>(at - text.data()));
    }
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
    auto micros = std::chrono::duration_cast<std::chrono::microseconds>(value).count();
    if (micros < 0) {
        out_ += '-';
        micros = -micros;
    }
    append(out_, micros / 1000);
    const auto rest = micros % 1000;
    const auto digit = [](std::int64_t n) { return static_cast<char>('0' + n); };
    const char decimals[] = {'.', digit(rest / 100), digit(rest / 10 % 10), digit(rest % 10)};
    out_.append(decimals, sizeof decimals);
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
