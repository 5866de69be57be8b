#include <rotary/wire/base64url.hpp>

#include <gtest/gtest.h>

#include <string>

namespace rotary::wire {
namespace {

struct Pair {
    const char* name;
    std::string bytes;
    const char* url;
    const char* standard;
};

// The vectors of RFC 4648 section 10, and bytes that use the two characters that differ.
const Pair kPairs[] = {
    {"empty", "", "", ""},
    {"one", "f", "Zg", "Zg=="},
    {"two", "fo", "Zm8", "Zm8="},
    {"three", "foo", "Zm9v", "Zm9v"},
    {"four", "foob", "Zm9vYg", "Zm9vYg=="},
    {"five", "fooba", "Zm9vYmE", "Zm9vYmE="},
    {"six", "foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"high bits", "\xFB\xFF\xBF", "-_-_", "+/+/"},
    {"nul", std::string("\0\0", 2), "AAA", "AAA="},
};

TEST(Base64Url, EncodesAndDecodes) {
    for (const Pair& pair : kPairs) {
        SCOPED_TRACE(pair.name);
        EXPECT_EQ(base64url_encode(pair.bytes), pair.url);
        EXPECT_EQ(base64_encode(pair.bytes), pair.standard);
        EXPECT_EQ(base64url_decode(pair.url), pair.bytes);
    }
}

TEST(Base64Url, EveryByteComesBack) {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
        EXPECT_EQ(base64url_decode(base64url_encode(bytes.substr(0, size))), bytes.substr(0, size));
    }
}

struct Refused {
    const char* name;
    std::string text;
};

const Refused kRefused[] = {
    {"padding", "Zg=="},
    {"one padding", "Zm8="},
    {"only padding", "===="},
    {"length 4n+1", "Zm9vZ"},
    {"one character", "Z"},
    {"trailing bits of one byte", "Zh"},
    {"trailing bits of two bytes", "Zm9"},
    {"standard plus", "+A"},
    {"standard slash", "/w"},
    {"space before", " Zg"},
    {"space after", "Zg "},
    {"newline inside", "Zm\n9"},
    {"line end after", "Zm9v\r\n"},
    {"nul", std::string("Zg\0\0", 4)},
    {"high byte", "Zm\x80v"},
    {"dot", "Zm.v"},
};

TEST(Base64Url, RefusesWhatIsNotExact) {
    for (const Refused& row : kRefused) {
        EXPECT_FALSE(base64url_decode(row.text).has_value()) << row.name;
    }
}

}  // namespace
}  // namespace rotary::wire
