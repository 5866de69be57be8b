// What the key fetcher makes of answers, and of certificates.
#include "jwks_fixture.hpp"

#include <ostream>

namespace rotary::control {
namespace {

struct BadAnswer {
    const char* name;
    std::string answer;
    const char* error;
};

std::string with_body(const std::string& head, const std::string& body) {
    return "HTTP/1.1 200 OK\r\n" + head + "\r\n\r\n" + body;
}

void PrintTo(const BadAnswer& row, std::ostream* out) { *out << row.name; }

class JwksBadAnswerTest : public JwksTest, public testing::WithParamInterface<BadAnswer> {};

TEST_P(JwksBadAnswerTest, IsAFailedFetch) {
    KeyServer& keys = server();
    options_.limits.bytes = 4096;
    keys.serve(jwks_of({"a"}));
    fetcher().set_sources({at(keys.url())});
    ASSERT_TRUE(run_until_published(1));
    keys.answer = GetParam().answer;
    ASSERT_TRUE(fetcher().refresh_for_unknown_kid(0));
    ASSERT_TRUE(run_until_failed(1));
    EXPECT_THAT(fetcher().status(0).last_error, HasSubstr(GetParam().error));
    EXPECT_EQ(kids(fetcher().keys(0)), "a ");
    EXPECT_EQ(published_.size(), 1u);
}

const std::string kBig(5000, ' ');
const std::vector<BadAnswer> kBadAnswers = {
    {"redirect", "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n",
     "status 302"},
    {"no_content", "HTTP/1.1 204 No Content\r\n\r\n", "status 204"},
    {"switching", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
     "status 101"},
    {"only_interim", "HTTP/1.1 100 Continue\r\n\r\n", "end of stream"},
    {"too_many_interim",
     [] {
         std::string out;
         for (int i = 0; i < 20; ++i) out += "HTTP/1.1 102 Processing\r\n\r\n";
         return out;
     }(),
     "status 102"},
    {"too_large", with_body("Content-Length: 5000", kBig), "body limit"},
    {"too_large_chunked",
     with_body("Transfer-Encoding: chunked", "1388\r\n" + kBig + "\r\n0\r\n\r\n"), "body limit"},
    {"head_too_large", "HTTP/1.1 200 OK\r\nX: " + std::string(20000, 'x') + "\r\n\r\n", "read: "},
    {"not_json", with_body("Content-Length: 5", "hello"), "not a usable key set"},
    {"no_keys", with_body("Content-Length: 11", R"({"keys":[]})"), "not a usable key set"},
    {"cut", with_body("Content-Length: 50", "{}"), "partial message"},
    {"compressed", with_body("Content-Encoding: gzip\r\nContent-Length: 2", "{}"),
     "content encoding"},
    {"odd_coding", with_body("Transfer-Encoding: gzip, chunked", "{}"), "transfer coding"},
    {"not_http", "SSH-2.0-OpenSSH\r\n\r\n", "read: "},
};

INSTANTIATE_TEST_SUITE_P(All, JwksBadAnswerTest, testing::ValuesIn(kBadAnswers),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(JwksTest, InterimAnswersAreSkippedAndChunksJoined) {
    KeyServer& keys = server();
    const std::string body = jwks_of({"a"});
    std::string chunks;
    for (const char c : body) chunks += std::string("1\r\n") + c + "\r\n";
    keys.answer = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" +
                  with_body("Transfer-Encoding: chunked", chunks + "0\r\n\r\n");
    fetcher().set_sources({at(keys.url())});
    ASSERT_TRUE(run_until_published(1));
    EXPECT_EQ(published_.back(), "0: a ");
}

TEST_F(JwksTest, ABodyUntilTheEndOfTheConnectionIsWholeOnlyWhenTlsSaysSo) {
    KeyServer& plain = server();
    KeyServer& cut = server(&certificates().server);  // closes without close_notify
    plain.answer = with_body("Content-Type: application/json", jwks_of({"a"}));
    cut.answer = plain.answer;
    fetcher().set_sources({at(plain.url()), at(cut.url(), certificates().ca)});
    ASSERT_TRUE(run_until_ok(1));
    ASSERT_TRUE(run_until_failed(1));
    EXPECT_THAT(published_, testing::ElementsAre("0: a "));
    EXPECT_THAT(fetcher().status(1).last_error, HasSubstr("truncated"));
}

struct TlsCase {
    const char* name;
    test::PemFiles test::Certificates::*files;
    const char* host;
    bool trusted;
};

void PrintTo(const TlsCase& row, std::ostream* out) { *out << row.name; }

class JwksTlsTest : public JwksTest, public testing::WithParamInterface<TlsCase> {};

TEST_P(JwksTlsTest, TheServerIsVerified) {
    KeyServer& keys = server(&(certificates().*GetParam().files));
    keys.serve(jwks_of({"a"}));
    fetcher().set_sources({at(keys.url(GetParam().host), certificates().ca)});
    ASSERT_TRUE(run_until([&] { return fetcher().fetches_ok() + fetcher().fetches_failed() > 0; }));
    EXPECT_EQ(kids(fetcher().keys(0)), GetParam().trusted ? "a " : "none");
    EXPECT_EQ(keys.requests, GetParam().trusted ? 1 : 0);  // it is not even asked
    if (!GetParam().trusted) {
        EXPECT_THAT(fetcher().status(0).last_error, HasSubstr("tls: "));
    }
}

const std::vector<TlsCase> kTls = {
    {"right_by_name", &test::Certificates::server, "localhost", true},
    {"right_by_address", &test::Certificates::server, "127.0.0.1", true},
    {"wrong_name", &test::Certificates::wrong_host, "localhost", false},
    {"wrong_address", &test::Certificates::wrong_host, "127.0.0.1", false},
    {"expired", &test::Certificates::expired, "localhost", false},
    {"not_yet", &test::Certificates::not_yet, "localhost", false},
    {"for_clients", &test::Certificates::client_only, "localhost", false},
    {"self_signed", &test::Certificates::self_signed, "localhost", false},
    {"unknown_ca", &test::Certificates::unknown_ca, "localhost", false},
};

INSTANTIATE_TEST_SUITE_P(Certificates, JwksTlsTest, testing::ValuesIn(kTls),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(JwksTest, TheSystemsAuthoritiesDoNotKnowTheTestsOwn) {
    KeyServer& keys = server(&certificates().server);
    keys.serve(jwks_of({"a"}));
    fetcher().set_sources({at(keys.url("localhost"))});
    ASSERT_TRUE(run_until_failed(1));
    EXPECT_EQ(keys.requests, 0);
}

TEST_F(JwksTest, APlaintextServerBehindHttpsFails) {
    KeyServer& keys = server();
    keys.serve(jwks_of({"a"}));
    std::string url = keys.url();
    url.replace(0, 4, "https");
    options_.fetch = 300ms;
    fetcher().set_sources({at(url, certificates().ca)});
    ASSERT_TRUE(run_until_failed(1));
    EXPECT_EQ(keys.requests, 0);
}

TEST_F(JwksTest, ANameThatHangsKeepsNoOtherIssuerWaiting) {
    KeyServer& keys = server(&certificates().server);
    keys.serve(jwks_of({"a"}));
    names_.hold("hanging.example.test");
    names_.has("keys.example.test", {"127.0.0.1"});
    options_.fetch = 1h;
    fetcher().set_sources({at("https://hanging.example.test/keys", certificates().ca),
                           at(keys.url("keys.example.test"), certificates().ca)});
    ASSERT_TRUE(run_until_ok(1)) << fetcher().status(1).last_error;
    EXPECT_TRUE(fetcher().fetching(0));
    EXPECT_EQ(kids(fetcher().keys(1)), "a ");
    ASSERT_TRUE(names_.wait_for("hanging.example.test"));
    fetcher_.reset();  // which waits for no name
    names_.release("hanging.example.test");
    settle();
    EXPECT_EQ(published_.size(), 1U);
}

}  // namespace
}  // namespace rotary::control
