#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rotary::config {

// Reads a JSON text from its beginning to its end, value by value, and gives numbers as they are
// written: a price list is megabytes, and its prices are no binary fractions. After the first
// mistake every call does nothing and error() says what it was. The text outlives the reader.
class JsonReader {
public:
    explicit JsonReader(std::string_view text) noexcept : text_(text) {}

    enum class Kind { object, array, string, number, word, nothing };
    Kind peek();  // of the value that comes next

    // Calls member(name) for each member of an object; it reads the value or leaves it alone. A
    // name with an escape in it is given as it is written.
    template <class Member>
    void object(const Member& member) {
        if (!open('{')) return;
        for (bool is_first = true; next(is_first, '}'); is_first = false) {
            const std::string_view name = string();
            if (!expect(':')) return;
            blanks();
            const std::size_t before = at_;
            member(name);
            if (ok() && at_ == before) skip();
        }
        --depth_;
    }
    std::string_view string();  // without its quotes, escapes as they are written
    std::string_view number();  // as it is written
    void skip();                // any value
    void finish();              // behind it nothing but blanks may come

    bool ok() const noexcept { return error_.empty(); }
    const std::string& error() const noexcept { return error_; }
    int line() const noexcept;  // where the reading stands

private:
    bool open(char bracket);
    bool next(bool is_first, char closing);
    bool expect(char c);
    void blanks() noexcept;
    void fail(const char* what);

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
    mutable std::size_t counted_to_ = 0;  // lines are counted once, not again for each finding
    mutable int line_ = 1;
    std::string error_;
};

}  // namespace rotary::config
