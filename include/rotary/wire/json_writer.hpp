#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace rotary::wire {

// Appends JSON to a caller's string, which it only borrows: access log lines, error bodies, answers
// of the admin interface. Allocates only when the string must grow, so one that is cleared and kept
// costs nothing once warm. Commas are its business, nesting the caller's: what is begun must be
// ended. Keys are our own literals and go out as they are; values are escaped and made valid UTF-8.
class JsonWriter {
public:
    explicit JsonWriter(std::string& out) noexcept : out_(out) {}

    JsonWriter& begin_object() { return open('{'); }
    JsonWriter& begin_object(std::string_view name) { return key(name).open('{'); }
    JsonWriter& end_object() { return close('}'); }
    JsonWriter& begin_array() { return open('['); }
    JsonWriter& begin_array(std::string_view name) { return key(name).open('['); }
    JsonWriter& end_array() { return close(']'); }

    JsonWriter& key(std::string_view name);

    JsonWriter& string(std::string_view value);
    JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
    JsonWriter& null() { return raw("null"); }
    // Shortest text that reads back the same; null when it is not finite.
    JsonWriter& real(double value);
    // In milliseconds with three decimals, cut off: 1.234.
    JsonWriter& milliseconds(std::chrono::nanoseconds value);
    // A finished JSON text, taken as it is.
    JsonWriter& raw(std::string_view json);
    template <std::signed_integral T>
    JsonWriter& number(T value) {
        return signed_number(value);
    }
    template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>) JsonWriter& number(T value) { return unsigned_number(value); }

    // The same as members.
    JsonWriter& string(std::string_view name, std::string_view value) {
        return key(name).string(value);
    }
    JsonWriter& boolean(std::string_view name, bool value) { return key(name).boolean(value); }
    JsonWriter& null(std::string_view name) { return key(name).null(); }
    JsonWriter& real(std::string_view name, double value) { return key(name).real(value); }
    JsonWriter& milliseconds(std::string_view name, std::chrono::nanoseconds value) {
        return key(name).milliseconds(value);
    }
    JsonWriter& raw(std::string_view name, std::string_view json) { return key(name).raw(json); }
    template <std::integral T>
    requires(!std::same_as<T, bool>) JsonWriter& number(std::string_view name, T value) {
        return key(name).number(value);
    }

private:
    JsonWriter& open(char bracket);
    JsonWriter& close(char bracket);
    JsonWriter& signed_number(std::int64_t value);
    JsonWriter& unsigned_number(std::uint64_t value);
    void separate() {
        if (comma_) out_ += ',';
        comma_ = true;
    }

    std::string& out_;
    bool comma_ = false;  // a value stands before the place where the next one goes
};

}  // namespace rotary::wire
