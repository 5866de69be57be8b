#include <rotary/wire/problem.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace rotary::wire {
namespace {

struct Row {
    FaultKind kind;
    std::uint16_t status;
    const char* type;
    const char* code;
    std::uint32_t apk_code = 0;
};

// The contract's table, written out a second time.
const Row kRows[] = {
    {FaultKind::bad_request, 400, "invalid_request_error", "bad_request"},
    {FaultKind::invalid_json, 400, "invalid_request_error", "invalid_json"},
    {FaultKind::duplicate_model, 400, "invalid_request_error", "duplicate_model"},
    {FaultKind::missing_credentials, 401, "authentication_error", "missing_credentials", 900902},
    {FaultKind::invalid_token, 401, "authentication_error", "invalid_token", 900903},
    {FaultKind::token_expired, 401, "authentication_error", "token_expired", 900901},
    {FaultKind::scope_denied, 403, "permission_error", "scope_denied", 900910},
    {FaultKind::subscription_required, 403, "permission_error", "subscription_required", 900908},
    {FaultKind::model_not_allowed, 403, "permission_error", "model_not_allowed"},
    {FaultKind::route_not_found, 404, "invalid_request_error", "route_not_found"},
    {FaultKind::method_not_allowed, 405, "invalid_request_error", "method_not_allowed"},
    {FaultKind::request_timeout, 408, "invalid_request_error", "request_timeout"},
    {FaultKind::length_required, 411, "invalid_request_error", "length_required"},
    {FaultKind::request_too_large, 413, "invalid_request_error", "request_too_large"},
    {FaultKind::uri_too_long, 414, "invalid_request_error", "uri_too_long"},
    {FaultKind::unsupported_content_encoding, 415, "invalid_request_error",
     "unsupported_content_encoding"},
    {FaultKind::unsupported_media_type, 415, "invalid_request_error", "unsupported_media_type"},
    {FaultKind::headers_too_large, 431, "invalid_request_error", "headers_too_large"},
    {FaultKind::all_models_suspended, 429, "rate_limit_error", "all_models_suspended"},
    {FaultKind::rate_limit_exceeded, 429, "rate_limit_error", "rate_limit_exceeded"},
    {FaultKind::token_budget_exceeded, 429, "rate_limit_error", "token_budget_exceeded"},
    {FaultKind::cost_budget_exceeded, 429, "rate_limit_error", "cost_budget_exceeded"},
    {FaultKind::upstream_dns_failed, 502, "upstream_error", "upstream_connect_failed"},
    {FaultKind::upstream_connect_failed, 502, "upstream_error", "upstream_connect_failed"},
    {FaultKind::upstream_tls_failed, 502, "upstream_error", "upstream_tls_failed"},
    {FaultKind::upstream_protocol_error, 502, "upstream_error", "upstream_protocol_error"},
    {FaultKind::upstream_credential_refused, 502, "upstream_error", "upstream_credential_refused"},
    {FaultKind::upstream_stream_interrupted, 502, "upstream_error", "upstream_stream_interrupted"},
    {FaultKind::all_models_unavailable, 503, "service_unavailable_error", "all_models_unavailable"},
    {FaultKind::issuer_unavailable, 503, "service_unavailable_error", "issuer_unavailable"},
    {FaultKind::overloaded, 503, "service_unavailable_error", "overloaded"},
    {FaultKind::draining, 503, "service_unavailable_error", "draining"},
    {FaultKind::upstream_timeout, 504, "upstream_error", "upstream_timeout"},
};

TEST(Problem, EveryKindHasTheContractsRow) {
    std::set<FaultKind> seen;
    for (const Row& row : kRows) {
        SCOPED_TRACE(row.code);
        const Problem& problem = problem_of(row.kind);
        EXPECT_EQ(problem.status, row.status);
        EXPECT_EQ(problem.type, row.type);
        EXPECT_EQ(problem.code, row.code);
        EXPECT_EQ(problem.apk_code, row.apk_code);
        EXPECT_FALSE(problem.message.empty());
        EXPECT_TRUE(seen.insert(row.kind).second);
    }
    for (const auto never_sent : {FaultKind::none, FaultKind::client_gone, FaultKind::count_}) {
        EXPECT_EQ(problem_of(never_sent).status, 499);
        seen.insert(never_sent);
    }
    EXPECT_EQ(problem_of(static_cast<FaultKind>(200)).status, 499);
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(FaultKind::count_) + 1) << "no row";
}

std::string written(const Problem& problem, std::string_view message) {
    std::string out(512, '#');
    out.resize(write_problem(problem, message, out.data(), out.size()));
    return out;
}

TEST(Problem, WritesTheContractsShape) {
    EXPECT_EQ(written(problem_of(FaultKind::invalid_token), "No."),
              R"({"error": {"message": "No.", "type": "authentication_error", "param": null, )"
              R"("code": "invalid_token", "apk_code": 900903}})");
    EXPECT_EQ(written(problem_of(FaultKind::draining), ""),
              R"({"error": {"message": ")" + std::string(problem_of(FaultKind::draining).message) +
                  R"(", "type": "service_unavailable_error", "param": null, "code": "draining"}})");
}

struct Escape {
    const char* name;
    std::string message;
    std::string written;
};

TEST(Problem, EscapesTheMessage) {
    using namespace std::string_literals;
    const Escape rows[] = {
        {"quote", "a\"b", R"(a\"b)"},
        {"backslash", "a\\b", R"(a\\b)"},
        {"line ends", "\r\n\t", R"(\r\n\t)"},
        {"controls", "\0\x01\x1f"s, R"(\u0000\u0001\u001f)"},
        {"DEL and slash stay", "\x7f/", "\x7f/"},
        {"two bytes stay", "\xc3\xa9", "\xc3\xa9"},
        {"three bytes stay", "\xe2\x82\xac", "\xe2\x82\xac"},
        {"four bytes stay", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
        {"lone byte", "\xff", R"(\ufffd)"},
        {"lone tail",
         "\x80"
         "a",
         R"(\ufffda)"},
        {"sequence cut", "\xe2\x82", R"(\ufffd\ufffd)"},
        {"overlong", "\xc0\xaf", R"(\ufffd\ufffd)"},
        {"overlong of three", "\xe0\x80\x80", R"(\ufffd\ufffd\ufffd)"},
        {"surrogate", "\xed\xa0\x80", R"(\ufffd\ufffd\ufffd)"},
        {"past the last plane", "\xf4\x90\x80\x80", R"(\ufffd\ufffd\ufffd\ufffd)"},
    };
    for (const Escape& row : rows) {
        SCOPED_TRACE(row.name);
        const std::string text = written(problem_of(FaultKind::bad_request), row.message);
        EXPECT_EQ(text, R"({"error": {"message": ")" + row.written +
                            R"(", "type": "invalid_request_error", "param": null, )"
                            R"("code": "bad_request"}})");
    }
}

TEST(Problem, SaysWhenItDoesNotFit) {
    const Problem& problem = problem_of(FaultKind::invalid_token);
    const std::string whole = written(problem, "a\"b");
    for (std::size_t capacity = 0; capacity <= whole.size(); ++capacity) {
        std::vector<char> out(capacity);
        const std::size_t size = write_problem(problem, "a\"b", out.data(), capacity);
        EXPECT_EQ(size, capacity == whole.size() ? whole.size() : 0U);
    }
}

}  // namespace
}  // namespace rotary::wire
