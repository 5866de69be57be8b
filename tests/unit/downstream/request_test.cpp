// What is kept of a request's header lines.
#include <rotary/downstream/request.hpp>
#include <rotary/wire/http1_reader.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "support/far_end.hpp"

namespace rotary::downstream {
namespace {

class RequestTest : public testing::Test {
protected:
    Request adopted(const std::string& line, const std::string& header_lines = "") {
        text_ = test::with_crlf(line + " HTTP/1.1\nhost: llm.test:8443\n" + header_lines + "\n");
        EXPECT_TRUE(wire::parse_request_head(text_, {}, *head_).has_value()) << text_;
        Request request;
        request.adopt(*head_);
        return request;
    }

    std::string text_;
    std::unique_ptr<wire::RequestHead> head_ = std::make_unique<wire::RequestHead>();
};

TEST_F(RequestTest, KnowsWhatIsAskedFor) {
    const Request request = adopted("PATCH /a/b?c=d");
    EXPECT_EQ(request.method, "PATCH");
    EXPECT_EQ(request.path, "/a/b");
    EXPECT_EQ(request.query, "c=d");
    EXPECT_EQ(request.host, "llm.test");
    EXPECT_EQ(request.port, "8443");
    EXPECT_FALSE(request.is_head);
    EXPECT_FALSE(request.has_body);
    EXPECT_FALSE(request.body_length.has_value());
    EXPECT_TRUE(adopted("HEAD /a").is_head);
}

TEST_F(RequestTest, KeepsTheValueOfEachLineThatItNeeds) {
    struct Row {
        const char* name;
        const char* line;
        std::string_view Request::*field;
        std::string_view value;
    };
    const Row rows[] = {
        {"origin", "Origin: https://a.test\n", &Request::origin, "https://a.test"},
        {"another of its length", "origen: a\n", &Request::origin, ""},
        {"user agent", "User-Agent: a/1\n", &Request::user_agent, "a/1"},
        {"another of its length", "user_agent: a\n", &Request::user_agent, ""},
        {"type", "CONTENT-TYPE: a/b\n", &Request::content_type, "a/b"},
        {"id", "X-Request-Id: 7\n", &Request::client_request_id, "7"},
        {"another of their length", "x-request-ix: 7\n", &Request::client_request_id, ""},
        {"the retries of an SDK", "x-stainless-retry-count: 2\n", &Request::retry_count, "2"},
        {"another of its length", "x-stainless-retry-coins: 2\n", &Request::retry_count, ""},
        {"a preflight's method", "Access-Control-Request-Method: PUT\n", &Request::preflight_method,
         "PUT"},
        {"another of its length", "access-control-request-metals: a\n", &Request::preflight_method,
         ""},
        {"a preflight's headers", "access-control-request-headers: a,b\n",
         &Request::preflight_headers, "a,b"},
        {"another of its length", "access-control-request-heavens: a\n",
         &Request::preflight_headers, ""},
    };
    for (const Row& row : rows) {
        const Request request = adopted("GET /", row.line);
        EXPECT_EQ(request.*row.field, row.value) << row.name << ": " << row.line;
    }
}

TEST_F(RequestTest, KnowsHowItsBodyIsWrapped) {
    struct Row {
        const char* name;
        const char* lines;
        bool has_type;
        bool has_types;
        bool is_encoded;
    };
    const Row rows[] = {
        {"not at all", "", false, false, false},
        {"a type", "content-type: a/b\n", true, false, false},
        {"an empty type", "content-type:\n", true, false, false},
        {"two types", "content-type: a/b\ncontent-type: a/b\n", true, true, false},
        {"packed", "content-encoding: gzip\n", false, false, true},
        {"packed in nothing", "content-encoding: Identity\n", false, false, false},
        {"packed, and in nothing", "content-encoding: br\ncontent-encoding: identity\n", false,
         false, true},
        {"in nothing, and packed", "content-encoding: identity\ncontent-encoding: br\n", false,
         false, true},
    };
    for (const Row& row : rows) {
        const Request request = adopted("POST /", row.lines);
        EXPECT_EQ(request.has_content_type, row.has_type) << row.name;
        EXPECT_EQ(request.has_content_types, row.has_types) << row.name;
        EXPECT_EQ(request.is_encoded, row.is_encoded) << row.name;
    }
}

TEST_F(RequestTest, KnowsWhetherThereIsABody) {
    struct Row {
        const char* name;
        const char* lines;
        bool has_body;
        std::optional<std::uint64_t> length;
    };
    const Row rows[] = {
        {"none", "", false, std::nullopt},
        {"of a length", "content-length: 17\n", true, 17},
        {"of unknown length", "transfer-encoding: chunked\n", true, std::nullopt},
    };
    for (const Row& row : rows) {
        const Request request = adopted("POST /", row.lines);
        EXPECT_EQ(request.has_body, row.has_body) << row.name;
        EXPECT_EQ(request.body_length, row.length) << row.name;
    }
}

}  // namespace
}  // namespace rotary::downstream
