#include <rotary/control/https_get_url.hpp>

#include <gtest/gtest.h>

#include <ostream>
#include <sstream>
#include <string>
#include <vector>

namespace rotary::control {
namespace {

struct UrlCase {
    const char* name;
    std::string url;
    // host|port|authority|target, empty: refused.
    std::string expected;
};

void PrintTo(const UrlCase& row, std::ostream* out) { *out << row.name; }

class HttpUrlTest : public testing::TestWithParam<UrlCase> {};

TEST_P(HttpUrlTest, IsParsed) {
    const auto url = parse_http_url(GetParam().url);
    std::string got;
    if (url) {
        got = (url->tls ? "https|" : "http|") + url->host + "|" + std::to_string(url->port) + "|" +
              url->authority + "|" + url->target;
    }
    EXPECT_EQ(got, GetParam().expected) << GetParam().url;
}

TEST(HttpUrl, HttpGoesAnywhereWhereThatIsAllowed) {
    EXPECT_TRUE(parse_http_url("http://idp.example.com/jwks", true).has_value());
    EXPECT_FALSE(parse_http_url("http://127.0.0.1@evil.example/a", true).has_value());
}

const std::vector<UrlCase> kUrls = {
    {"plain", "https://idp.example.com/jwks", "https|idp.example.com|443|idp.example.com|/jwks"},
    {"scheme_in_capitals", "HTTPS://idp/jwks", "https|idp|443|idp|/jwks"},
    {"no_path", "https://idp", "https|idp|443|idp|/"},
    {"query_without_path", "https://idp?a=b", "https|idp|443|idp|/?a=b"},
    {"query", "https://idp/a?b=c/d", "https|idp|443|idp|/a?b=c/d"},
    {"fragment_is_dropped", "https://idp/a#b", "https|idp|443|idp|/a"},
    {"fragment_right_away", "https://idp#b", "https|idp|443|idp|/"},
    {"port", "https://idp:9443/a", "https|idp|9443|idp:9443|/a"},
    {"default_port_is_not_repeated", "https://idp:443/a", "https|idp|443|idp|/a"},
    {"v4", "https://192.0.2.1:8443/a", "https|192.0.2.1|8443|192.0.2.1:8443|/a"},
    {"v6", "https://[2001:db8::1]/a", "https|2001:db8::1|443|[2001:db8::1]|/a"},
    {"v6_with_port", "https://[::1]:8443/a", "https|::1|8443|[::1]:8443|/a"},
    {"http_to_127", "http://127.0.0.1:8080/a", "http|127.0.0.1|8080|127.0.0.1:8080|/a"},
    {"http_to_127_other", "http://127.9.9.9/a", "http|127.9.9.9|80|127.9.9.9|/a"},
    {"http_to_v6_loopback", "http://[::1]/a", "http|::1|80|[::1]|/a"},
    {"http_to_localhost", "http://localhost/a", "http|localhost|80|localhost|/a"},
    {"http_elsewhere", "http://idp.example.com/jwks", ""},
    {"http_to_a_private_address", "http://10.0.0.1/jwks", ""},
    {"http_to_a_name_that_begins_like_loopback", "http://127.0.0.1.example.com/a", ""},
    {"http_to_a_name_that_begins_like_localhost", "http://localhost.example.com/a", ""},
    {"user_information", "https://user:secret@idp/a", ""},
    {"user_information_that_hides_the_host", "http://127.0.0.1@evil.example/a", ""},
    {"backslash_that_hides_the_host", "http://127.0.0.1\\@evil.example/a", ""},
    {"other_scheme", "ftp://idp/a", ""},
    {"file", "file:/etc/passwd", ""},
    {"no_scheme", "idp/a", ""},
    {"empty", "", ""},
    {"no_host", "https:///a", ""},
    {"port_zero", "https://idp:0/a", ""},
    {"port_too_large", "https://idp:65536/a", ""},
    {"port_empty", "https://idp:/a", ""},
    {"port_not_a_number", "https://idp:1x/a", ""},
    {"v6_without_its_end", "https://[::1/a", ""},
    {"v6_that_is_none", "https://[idp]/a", ""},
    {"v4_in_brackets", "https://[127.0.0.1]/a", ""},
    {"v6_zone", "https://[fe80::1%eth0]/a", ""},
    {"rubbish_behind_brackets", "https://[::1]x/a", ""},
    {"space", "https://idp/a b", ""},
    {"line_feed", "https://idp/a\nX: y", ""},
    {"nul", std::string("https://idp/a\0b", 15), ""},
    {"not_ascii", "https://idp/\xC3\xA4", ""},
    {"percent_in_host", "https://id%70/a", ""},
};

INSTANTIATE_TEST_SUITE_P(Urls, HttpUrlTest, testing::ValuesIn(kUrls),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(HttpUrlEndpoints, HaveTheUrlsPortAndForPlainHttpStayOnThisMachine) {
    struct Row {
        const char* name;
        const char* url;
        std::vector<const char*> addresses;
        std::string endpoints;
    };
    const Row rows[] = {
        {"every address of a name",
         "https://idp/a",
         {"192.0.2.1", "2001:db8::1"},
         "192.0.2.1:443 [2001:db8::1]:443 "},
        {"its own port", "https://idp:8443/a", {"192.0.2.1"}, "192.0.2.1:8443 "},
        {"localhost",
         "http://localhost:8080/a",
         {"127.0.0.1", "::1"},
         "127.0.0.1:8080 [::1]:8080 "},
        {"localhost as a resolver has it that lies",
         "http://localhost/a",
         {"192.0.2.1", "127.0.0.1"},
         "127.0.0.1:80 "},
        {"nowhere on this machine", "http://localhost/a", {"192.0.2.1"}, ""},
        {"no address", "https://idp/a", {}, ""},
    };
    for (const Row& row : rows) {
        net::Addresses addresses;
        for (const char* address : row.addresses) {
            addresses.emplace_back(boost::asio::ip::make_address(address), 0);
        }
        std::ostringstream endpoints;
        for (const auto& place : endpoints_of(parse_http_url(row.url).value(), addresses)) {
            endpoints << place << " ";
        }
        EXPECT_EQ(endpoints.str(), row.endpoints) << row.name;
    }
}

}  // namespace
}  // namespace rotary::control
