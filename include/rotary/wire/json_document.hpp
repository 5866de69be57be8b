#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace rotary::wire {

// What a document may cost before it is refused. The root counts as depth 1.
struct JsonLimits {
    std::size_t depth = 64;
    std::size_t bytes = 256 * 1024;
};

enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };

struct JsonTree;
class JsonRange;

// A place in a JsonDocument, two words, copied freely; valid as long as its document lives (moving
// the document keeps it valid). Asking for the wrong kind gives nothing, never undefined behaviour.
class JsonValue {
public:
    JsonKind kind() const noexcept;
    bool is_null() const noexcept { return kind() == JsonKind::null; }
    bool is_boolean() const noexcept { return kind() == JsonKind::boolean; }
    bool is_number() const noexcept { return kind() == JsonKind::number; }
    bool is_string() const noexcept { return kind() == JsonKind::string; }
    bool is_array() const noexcept { return kind() == JsonKind::array; }
    bool is_object() const noexcept { return kind() == JsonKind::object; }

    // The decoded string with its length: embedded NULs are kept, so compare views, never C
    // strings.
    std::optional<std::string_view> string() const noexcept;
    // The number exactly as it was written; empty for any other kind.
    std::string_view number_text() const noexcept;
    // Only what is written as an integer and fits: 1.0 and 1e3 are not integers here.
    std::optional<std::int64_t> integer() const noexcept;
    // Finite, or nothing.
    std::optional<double> number() const noexcept;
    std::optional<bool> boolean() const noexcept;

    // The member's value; nothing when there is none or this is no object. Linear in the members.
    std::optional<JsonValue> find(std::string_view key) const noexcept;
    // Members of an object or elements of an array; 0 for the rest.
    std::size_t size() const noexcept;
    // The element or member of that index, linear in the index.
    std::optional<JsonValue> at(std::size_t index) const noexcept;
    // Empty unless this is an object, an array.
    JsonRange members() const noexcept;
    JsonRange elements() const noexcept;
    // The decoded name of this member; empty for elements and the root.
    std::string_view key() const noexcept;

private:
    friend class JsonDocument;
    friend class JsonRange;
    JsonValue(const JsonTree* tree, std::uint32_t index) noexcept : tree_(tree), index_(index) {}

    const JsonTree* tree_;
    std::uint32_t index_;
};

// The children of one value, for a range-for.
class JsonRange {
public:
    class Iterator {
    public:
        JsonValue operator*() const noexcept { return {tree_, index_}; }
        Iterator& operator++() noexcept;
        bool operator==(const Iterator& other) const noexcept { return index_ == other.index_; }

    private:
        friend class JsonRange;
        Iterator(const JsonTree* tree, std::uint32_t index) noexcept : tree_(tree), index_(index) {}

        const JsonTree* tree_;
        std::uint32_t index_;
    };

    Iterator begin() const noexcept { return {tree_, begin_}; }
    Iterator end() const noexcept { return {tree_, end_}; }

private:
    friend class JsonValue;
    JsonRange(const JsonTree* tree, std::uint32_t begin, std::uint32_t end) noexcept
        : tree_(tree), begin_(begin), end_(end) {}

    const JsonTree* tree_;
    std::uint32_t begin_;
    std::uint32_t end_;
};

// The one tree of JSON in this program: immutable, owned by its reader, used off the body's
// path (tokens, key sets, the admin interface, the mock provider). The nodes lie in one flat vector
// in the order of the text, so neither building nor freeing it ever recurses.
class JsonDocument {
public:
    // Strict RFC 8259: one value and nothing after it, valid UTF-8 and surrogate pairs, no BOM.
    // Refused besides: nesting and size over the limits, two members of one object whose decoded
    // names are equal, and numbers beyond a double's range.
    static std::optional<JsonDocument> parse(std::string_view text, const JsonLimits& limits = {});

    JsonDocument(JsonDocument&&) noexcept;
    JsonDocument& operator=(JsonDocument&&) noexcept;
    ~JsonDocument();

    JsonValue root() const noexcept { return {tree_.get(), 0}; }

private:
    explicit JsonDocument(std::unique_ptr<const JsonTree> tree) noexcept;

    std::unique_ptr<const JsonTree> tree_;
};

}  // namespace rotary::wire
