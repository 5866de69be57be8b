#include "config/yaml/scalars.hpp"

#include <gtest/gtest.h>

namespace rotary::config {
namespace {

template <class Value>
struct Row {
    const char* name;
    const char* text;
    std::optional<Value> value;
};

template <class Value>
std::string row_name(const testing::TestParamInfo<Row<Value>>& info) {
    return info.param.name;
}

class Integers : public testing::TestWithParam<Row<long long>> {};

TEST_P(Integers, AreStrictlyDecimal) {
    EXPECT_EQ(parse_integer(GetParam().text), GetParam().value);
}

const Row<long long> kIntegers[] = {
    {"zero", "0", 0},
    {"number", "9095", 9095},
    {"negative", "-5", -5},
    {"greatest", "9223372036854775807", 9223372036854775807LL},
    {"too_great", "9223372036854775808", std::nullopt},
    {"octal", "010", std::nullopt},
    {"minus_zero", "-0", std::nullopt},
    {"plus", "+5", std::nullopt},
    {"hexadecimal", "0x10", std::nullopt},
    {"exponent", "1e3", std::nullopt},
    {"fraction", "1.0", std::nullopt},
    {"separator", "1_000", std::nullopt},
    {"space", "1 ", std::nullopt},
    {"empty", "", std::nullopt},
    {"minus", "-", std::nullopt},
    {"word", "ten", std::nullopt},
};
INSTANTIATE_TEST_SUITE_P(Rows, Integers, testing::ValuesIn(kIntegers), row_name<long long>);

class Durations : public testing::TestWithParam<Row<Duration>> {};

TEST_P(Durations, AreSecondsOrCarryTheirUnit) {
    EXPECT_EQ(parse_duration(GetParam().text), GetParam().value);
}

const Row<Duration> kDurations[] = {
    {"seconds", "30", Duration(30'000)},
    {"zero", "0", Duration(0)},
    {"fraction", "0.25", Duration(250)},
    {"milliseconds", "500ms", Duration(500)},
    {"unit_seconds", "1.5s", Duration(1500)},
    {"minutes", "5m", Duration(300'000)},
    {"hours", "1h", Duration(3'600'000)},
    {"part_of_a_millisecond", "0.0001", std::nullopt},
    {"half_a_millisecond", "0.5ms", std::nullopt},
    {"negative", "-1s", std::nullopt},
    {"negative_fraction", "-0.5", std::nullopt},
    {"no_number", "s", std::nullopt},
    {"no_whole_part", ".5", std::nullopt},
    {"no_decimals", "5.", std::nullopt},
    {"two_points", "1.2.3", std::nullopt},
    {"space", "5 s", std::nullopt},
    {"days", "1d", std::nullopt},
    {"centuries", "99999999h", std::nullopt},
    {"overflow", "9223372036854775807h", std::nullopt},
};
INSTANTIATE_TEST_SUITE_P(Rows, Durations, testing::ValuesIn(kDurations), row_name<Duration>);

class Base64 : public testing::TestWithParam<Row<std::string>> {};

TEST_P(Base64, IsStrict) { EXPECT_EQ(decode_base64(GetParam().text), GetParam().value); }

const Row<std::string> kBase64[] = {
    {"empty", "", ""},
    {"one", "Zg==", "f"},
    {"two", "Zm8=", "fo"},
    {"three", "Zm9v", "foo"},
    {"six", "Zm9vYmFy", "foobar"},
    {"wrapped", "Zm9v\nYmFy\n", "foobar"},
    {"marks", "+/+/", "\xFB\xFF\xBF"},
    {"no_padding", "Zg", std::nullopt},
    {"short_padding", "Zg=", std::nullopt},
    {"too_much_padding", "Z===", std::nullopt},
    {"padding_inside", "Zg==Zg==", std::nullopt},
    {"bits_left_over", "Zh==", std::nullopt},
    {"bits_left_over_of_two", "Zm9=", std::nullopt},
    {"url_alphabet", "-_-_", std::nullopt},
    {"space", "Zm 9v===", std::nullopt},
    {"placeholder", "base64_encoded_api_key", std::nullopt},
};
INSTANTIATE_TEST_SUITE_P(Rows, Base64, testing::ValuesIn(kBase64), row_name<std::string>);

TEST(NameServers, AreAddressesWithOrWithoutAPort) {
    for (const char* text : {"10.0.0.2", "10.0.0.2:53", "::1", "[::1]:53", "fd00::2"}) {
        EXPECT_TRUE(is_name_server(text)) << text;
    }
    for (const char* text : {"", "dns.test", "dns.test:53", "10.0.0.2:", "10.0.0.2:0", ":53",
                             "10.0.0.2:65536", "[10.0.0.2]:53", "[::1]", "10.0.0:53"}) {
        EXPECT_FALSE(is_name_server(text)) << text;
    }
}

TEST(Names, OfHosts) {
    for (const char* good : {"localhost", "api.openai.com", "a-b.c_d", "1and1.com"}) {
        EXPECT_TRUE(is_host_name(good)) << good;
    }
    for (const char* bad : {"", ".", "a.", ".a", "a..b", "-a", "a-", "a b", "a:1", "a/b", "é.c"}) {
        EXPECT_FALSE(is_host_name(bad)) << bad;
    }
    EXPECT_TRUE(is_host_name(std::string(63, 'a')));
    EXPECT_FALSE(is_host_name(std::string(64, 'a')));
}

TEST(Names, OfAddresses) {
    EXPECT_TRUE(is_ip_address("127.0.0.1"));
    EXPECT_TRUE(is_ip_address("::1"));
    for (const char* bad : {"", "127.0.0", "127.1", "0177.0.0.1", "[::1]", "::1%lo", "localhost"}) {
        EXPECT_FALSE(is_ip_address(bad)) << bad;
    }
}

TEST(Names, OfObjectsAndHeaders) {
    EXPECT_TRUE(is_object_name("a-1.b"));
    for (const char* bad : {"", "A", "-a", "a-", "a_b", "a/b"}) {
        EXPECT_FALSE(is_object_name(bad)) << bad;
    }
    EXPECT_TRUE(is_token("x-api_key!"));
    EXPECT_FALSE(is_token("x key"));
    EXPECT_FALSE(is_token("x:"));
    EXPECT_TRUE(is_field_value("Bearer \t\xC3\xA9"));
    EXPECT_FALSE(is_field_value("a\r\nb: c"));
    EXPECT_FALSE(is_field_value("\x7F"));
}

TEST(Durations, AreShownAsTheyAreWritten) {
    for (const char* text : {"0s", "1ms", "1500ms", "30s", "90s", "5m", "24h"}) {
        EXPECT_EQ(shown_duration(parse_duration(text).value()), text);
    }
    EXPECT_EQ(shown_duration(Duration(120'000)), "2m");
}

TEST(Shown, IsOneShortLine) {
    EXPECT_EQ(shown("a\nb"), "\"a b\"");
    EXPECT_EQ(shown(std::string(60, 'a')), '"' + std::string(60, 'a') + '"');
    EXPECT_EQ(shown(std::string(61, 'a')), '"' + std::string(60, 'a') + "…\"");
    EXPECT_EQ(shown(std::string(59, 'a') + "éé"), '"' + std::string(59, 'a') + "…\"");
}

TEST(Paths, StartAtTheFolderOfTheirFile) {
    EXPECT_EQ(resolve_path("config/apis", "../../certs/a.crt"), "certs/a.crt");
    EXPECT_EQ(resolve_path("config", "apis/"), "config/apis/");
    EXPECT_EQ(resolve_path("config", "/etc/a"), "/etc/a");
    EXPECT_EQ(resolve_path("", "a"), "a");
}

}  // namespace
}  // namespace rotary::config
