// The scanner against two other readers over many mutated bodies: a plain recursive-descent one
// that follows RFC 8259 letter by letter, and the RapidJSON behind JsonDocument.
#include <rotary/base/utf8.hpp>
#include <rotary/llm/json_scanner.hpp>
#include <rotary/wire/json_document.hpp>

#include <gtest/gtest.h>

#include <cctype>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::llm {
namespace {

constexpr std::size_t kDepth = 8;
const std::vector<std::string> kModel{"model"};

class Reference {
public:
    explicit Reference(std::string_view text) : text_(text) {}
    bool is_object() {
        space();
        if (peek() != '{' || !value(1)) return false;
        space();
        return at_ == text_.size();
    }

private:
    int peek() const { return at_ < text_.size() ? static_cast<unsigned char>(text_[at_]) : -1; }
    bool take(int c) {
        if (peek() != c) return false;
        ++at_;
        return true;
    }
    void space() {
        while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
    }
    bool word(std::string_view expected) {
        if (!text_.substr(at_).starts_with(expected)) return false;
        at_ += expected.size();
        return true;
    }
    bool digits() {
        if (peek() < '0' || peek() > '9') return false;
        while (peek() >= '0' && peek() <= '9') ++at_;
        return true;
    }
    bool number() {
        take('-');
        if (!take('0') && !digits()) return false;
        if (take('.') && !digits()) return false;
        if (take('e') || take('E')) {
            if (!take('+')) take('-');
            return digits();
        }
        return true;
    }
    bool string() {
        if (!take('"')) return false;
        for (;;) {
            const int c = peek();
            if (c < 0x20) return false;
            if (take('"')) return true;
            if (take('\\')) {
                const int kind = peek();
                if (kind <= 0 || std::strchr("\"\\/bfnrtu", kind) == nullptr) return false;
                ++at_;
                for (int i = 0; kind == 'u' && i < 4; ++i, ++at_) {
                    if (peek() < 0 || std::isxdigit(peek()) == 0) return false;
                }
                continue;
            }
            const std::size_t size =
                text::utf8_sequence(text_.data() + at_, text_.data() + text_.size());
            if (size == 0) return false;
            at_ += size;
        }
    }
    bool value(std::size_t depth) {
        switch (peek()) {
            case '"':
                return string();
            case 't':
                return word("true");
            case 'f':
                return word("false");
            case 'n':
                return word("null");
            case '[':
            case '{':
                return depth <= kDepth && container(depth, peek() == '{');
            default:
                return number();
        }
    }
    bool container(std::size_t depth, bool object) {
        ++at_;
        space();
        if (take(object ? '}' : ']')) return true;
        do {
            space();
            if (object) {
                if (!string()) return false;
                space();
                if (!take(':')) return false;
                space();
            }
            if (!value(depth + 1)) return false;
            space();
        } while (take(','));
        return take(object ? '}' : ']');
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

const std::vector<std::string> kSeeds{
    R"({"model":"gpt-4o","messages":[{"role":"user","content":"Hello, \"you\"\n\u00e9"}],"n":1})",
    "{ \"a\" : [ 1 , -2.5e+10, true, false, null, {} , [] ],\r\n\t\"model\":\"m\" }",
    "{\"model\":\"\xe4\xb8\xad\xc3\xa9\xf0\x9f\x98\x80\",\"x\":{\"y\":{\"z\":[[[[\"deep\"]]]]}}}",
    R"({"stream":true,"stream_options":{"include_usage":true},)"
    R"("seed":123456789012345678901234567890})",
    R"({"text":"a long string without anything special in it, longer than four blocks","t":0})",
};

constexpr std::string_view kPieces = "{}[]\",:\\ue0123456789.-+tfn aZ\n\t\x01\x7f\x80\xc3\xe4\xff";

std::string mutate(std::string text, std::mt19937& random) {
    const auto below = [&](std::size_t n) {
        return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
    };
    for (std::size_t rounds = 1 + below(3); rounds > 0 && !text.empty(); --rounds) {
        const std::size_t at = below(text.size());
        switch (below(5)) {
            case 0:
                text[at] = kPieces[below(kPieces.size())];
                break;
            case 1:
                text.insert(at, 1, kPieces[below(kPieces.size())]);
                break;
            case 2:
                text.erase(at, 1 + below(3));
                break;
            case 3:
                text.insert(at, text.substr(below(text.size()), 1 + below(8)));
                break;
            default:
                text[at] = static_cast<char>(below(256));
                break;
        }
    }
    return text;
}

// What JsonDocument refuses beyond the grammar: lone surrogates, equal keys, numbers out of range.
bool may_differ(std::string_view text) {
    return text.find("\\ud") != text.npos || text.find("\\uD") != text.npos;
}

TEST(JsonScannerFuzz, AgreesWithTheOthers) {
    std::mt19937 random(20240607);
    std::size_t accepted = 0;
    std::size_t stricter = 0;
    constexpr std::size_t kRounds = 60000;
    for (std::size_t i = 0; i < kRounds; ++i) {
        const std::string text = mutate(kSeeds[i % kSeeds.size()], random);
        const auto body = scan_body(text, kModel, kDepth);
        const bool valid = body || body.error().kind == FaultKind::duplicate_model;
        ASSERT_EQ(valid, Reference(text).is_object()) << text;
        const auto document = wire::JsonDocument::parse(text, {.depth = kDepth, .bytes = 1U << 20});
        const bool known = document && document->root().is_object();
        if (known) {
            ASSERT_TRUE(valid) << text;
        }
        if (valid) ++accepted;
        if (valid && !known && !may_differ(text)) ++stricter;
        if (!body || !known) continue;
        // Where both read it, they see the same model.
        const auto model = document->root().find("model");
        ASSERT_EQ(body->model.found, model.has_value()) << text;
        if (const auto plain = plain_string(text, body->model)) {
            ASSERT_EQ(plain, model->string());
        }
    }
    EXPECT_GT(accepted, kRounds / 10);
    EXPECT_LT(stricter, accepted / 50);  // a few mutations make two keys equal or a number huge
}

}  // namespace
}  // namespace rotary::llm
