#include <rotary/wire/json_document.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

namespace rotary::wire {

namespace {

// Never RapidJSON's own number conversion (31 bytes of exponent crash it), never its recursive
// parser.
constexpr unsigned kParseFlags = rapidjson::kParseIterativeFlag |
                                 rapidjson::kParseNumbersAsStringsFlag |
                                 rapidjson::kParseValidateEncodingFlag;

// Offsets are 32 bits and a number may be one node a byte.
constexpr std::size_t kMostBytes = std::size_t{1} << 30;

struct Text {
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
};

struct Node {
    JsonKind kind = JsonKind::null;
    bool truth = false;
    Text key;
    Text text;                // strings decoded, numbers as written
    std::uint32_t count = 0;  // children
    std::uint32_t next = 0;   // the index just past this value and all below it
};

}  // namespace

struct JsonTree {
    std::vector<Node> nodes;
    std::string chars;

    std::string_view view(Text text) const noexcept {
        return std::string_view(chars).substr(text.begin, text.size);
    }
};

namespace {

// RapidJSON decodes a lone low surrogate into three bytes that are no UTF-8.
bool holds_surrogate(std::string_view text) noexcept {
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
        if (text[i] == '\xED' && static_cast<unsigned char>(text[i + 1]) >= 0xA0) return true;
    }
    return false;
}

// Takes the reader's events and lays the tree out. Returning false stops the reader, so a document
// over a limit costs no more than the bytes read so far.
class Builder {
public:
    Builder(JsonTree& tree, std::size_t depth) : tree_(tree), depth_(depth) {}

    // NOLINTBEGIN(readability-identifier-naming): RapidJSON's reader calls them so
    bool Null() { return add(JsonKind::null); }
    bool Bool(bool truth) {
        if (!add(JsonKind::boolean)) return false;
        tree_.nodes.back().truth = truth;
        return true;
    }
    bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
        if (!add(JsonKind::number)) return false;
        tree_.nodes.back().text = keep({text, size});
        return true;
    }
    bool String(const char* text, rapidjson::SizeType size, bool) {
        if (holds_surrogate({text, size}) || !add(JsonKind::string)) return false;
        tree_.nodes.back().text = keep({text, size});
        return true;
    }
    bool Key(const char* text, rapidjson::SizeType size, bool) {
        if (holds_surrogate({text, size})) return false;
        key_ = keep({text, size});
        return true;
    }
    bool StartObject() { return open(JsonKind::object); }
    bool StartArray() { return open(JsonKind::array); }
    bool EndObject(rapidjson::SizeType) { return unique_keys(open_.back()) && close(); }
    bool EndArray(rapidjson::SizeType) { return close(); }

    // Numbers come as strings; the reader's template wants these all the same.
    bool Int(int) { return false; }
    bool Uint(unsigned) { return false; }
    bool Int64(std::int64_t) { return false; }
    bool Uint64(std::uint64_t) { return false; }
    bool Double(double) { return false; }
    // NOLINTEND(readability-identifier-naming)

private:
    bool add(JsonKind kind) {
        Node node;
        node.kind = kind;
        node.key = key_;
        node.next = static_cast<std::uint32_t>(tree_.nodes.size()) + 1;
        key_ = {};
        if (!open_.empty()) ++tree_.nodes[open_.back()].count;
        tree_.nodes.push_back(node);
        return true;
    }

    bool open(JsonKind kind) {
        if (open_.size() >= depth_ || !add(kind)) return false;
        open_.push_back(static_cast<std::uint32_t>(tree_.nodes.size()) - 1);
        return true;
    }

    bool close() {
        tree_.nodes[open_.back()].next = static_cast<std::uint32_t>(tree_.nodes.size());
        open_.pop_back();
        return true;
    }

    Text keep(std::string_view text) {
        const Text kept{static_cast<std::uint32_t>(tree_.chars.size()),
                        static_cast<std::uint32_t>(text.size())};
        tree_.chars.append(text);
        return kept;
    }

    // Sorted, so that an object of a million members costs no square of it.
    bool unique_keys(std::uint32_t object) {
        const std::uint32_t end = static_cast<std::uint32_t>(tree_.nodes.size());
        keys_.clear();
        for (std::uint32_t i = object + 1; i < end; i = tree_.nodes[i].next) {
            keys_.push_back(tree_.view(tree_.nodes[i].key));
        }
        std::sort(keys_.begin(), keys_.end());
        return std::adjacent_find(keys_.begin(), keys_.end()) == keys_.end();
    }

    JsonTree& tree_;
    std::size_t depth_;
    Text key_;
    std::vector<std::uint32_t> open_;
    std::vector<std::string_view> keys_;
};

const Node& node_of(const JsonTree* tree, std::uint32_t index) noexcept {
    return tree->nodes[index];
}

}  // namespace

std::optional<JsonDocument> JsonDocument::parse(std::string_view text, const JsonLimits& limits) {
    if (text.empty() || text.size() > std::min(limits.bytes, kMostBytes)) return std::nullopt;
    // The reader takes a NUL for the end of its input and would let anything follow it.
    if (std::memchr(text.data(), '\0', text.size()) != nullptr) return std::nullopt;

    auto tree = std::make_unique<JsonTree>();
    tree->chars.reserve(text.size());  // decoded text is never longer than its source
    rapidjson::MemoryStream stream(text.data(), text.size());
    rapidjson::Reader reader;
    Builder builder(*tree, limits.depth);
    if (reader.Parse<kParseFlags>(stream, builder).IsError()) return std::nullopt;
    return JsonDocument(std::move(tree));
}

JsonDocument::JsonDocument(std::unique_ptr<const JsonTree> tree) noexcept
    : tree_(std::move(tree)) {}
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

JsonKind JsonValue::kind() const noexcept { return node_of(tree_, index_).kind; }

std::optional<std::string_view> JsonValue::string() const noexcept {
    if (!is_string()) return std::nullopt;
    return tree_->view(node_of(tree_, index_).text);
}

std::string_view JsonValue::number_text() const noexcept {
    if (!is_number()) return {};
    return tree_->view(node_of(tree_, index_).text);
}

std::optional<std::int64_t> JsonValue::integer() const noexcept {
    const std::string_view text = number_text();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

std::optional<double> JsonValue::number() const noexcept {
    const std::string_view text = number_text();
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || end != text.data() + text.size()) return std::nullopt;
    if (error != std::errc{} || !std::isfinite(value)) return std::nullopt;
    return value;
}

std::optional<bool> JsonValue::boolean() const noexcept {
    if (!is_boolean()) return std::nullopt;
    return node_of(tree_, index_).truth;
}

std::optional<JsonValue> JsonValue::find(std::string_view key) const noexcept {
    for (const JsonValue member : members()) {
        if (member.key() == key) return member;
    }
    return std::nullopt;
}

std::size_t JsonValue::size() const noexcept { return node_of(tree_, index_).count; }

std::optional<JsonValue> JsonValue::at(std::size_t index) const noexcept {
    if (index >= size()) return std::nullopt;
    std::uint32_t child = index_ + 1;
    for (; index > 0; --index) child = node_of(tree_, child).next;
    return JsonValue(tree_, child);
}

JsonRange JsonValue::members() const noexcept {
    if (!is_object()) return {tree_, 0, 0};
    return {tree_, index_ + 1, node_of(tree_, index_).next};
}

JsonRange JsonValue::elements() const noexcept {
    if (!is_array()) return {tree_, 0, 0};
    return {tree_, index_ + 1, node_of(tree_, index_).next};
}

std::string_view JsonValue::key() const noexcept { return tree_->view(node_of(tree_, index_).key); }

JsonRange::Iterator& JsonRange::Iterator::operator++() noexcept {
    index_ = node_of(tree_, index_).next;
    return *this;
}

}  // namespace rotary::wire
