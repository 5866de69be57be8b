#include <rotary/llm/form_body.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace rotary::llm {
namespace {

std::string slice(std::string_view text, const MemberRange& range) {
    if (!range.found) return "<absent>";
    return std::string(text.substr(range.begin, range.end - range.begin));
}

TEST(FormBody, ContentTypeSaysWhatABodyIs) {
    const std::pair<const char*, BodyKind> rows[] = {
        {"", BodyKind::json},
        {"application/json", BodyKind::json},
        {"Application/JSON; charset=utf-8", BodyKind::json},
        {"application/json;charset=\"UTF-8\"", BodyKind::json},
        {"application/json; charset=ISO-8859-1", BodyKind::json},
        {"application/vnd.api+json", BodyKind::json},
        {"text/json", BodyKind::json},
        {"application/json; charset=utf-16", BodyKind::other},
        {"application/json; charset=\"utf-7\"", BodyKind::other},
        {"multipart/form-data; boundary=x", BodyKind::multipart},
        {"multipart/mixed; boundary=x", BodyKind::other},
        {"application/x-www-form-urlencoded", BodyKind::form},
        {"application/x-www-form-urlencoded; charset=utf-8", BodyKind::form},
        {"text/plain", BodyKind::other},
        {"application/octet-stream", BodyKind::other},
        {"application/jsonp", BodyKind::other},
        {"application/x-ndjson", BodyKind::other},
        {"audio/wav", BodyKind::other},
        {"; charset=utf-8", BodyKind::other},
        {"/json", BodyKind::other},
        {"application/json, text/plain", BodyKind::other},
    };
    for (const auto& [type, kind] : rows) EXPECT_EQ(body_kind(type), kind) << type;
}

TEST(FormBody, BoundaryIsOnePlainText) {
    const std::pair<const char*, const char*> good[] = {
        {"multipart/form-data; boundary=----WebKitFormBoundaryABC", "----WebKitFormBoundaryABC"},
        {"multipart/form-data;boundary=\"a'()+_,-./:=?b\"", "a'()+_,-./:=?b"},
        {"multipart/form-data; charset=utf-8; BOUNDARY=x", "x"},
    };
    for (const auto& [type, boundary] : good) {
        const auto found = boundary_of(type);
        ASSERT_TRUE(found) << type;
        EXPECT_EQ(*found, boundary);
    }
    const std::string longest(70, 'b');
    EXPECT_TRUE(boundary_of("multipart/form-data; boundary=" + longest));
    for (const std::string& type : std::vector<std::string>{
             "multipart/form-data", "multipart/form-data;", "multipart/form-data; boundary=",
             "multipart/form-data; boundary=\"\"", "multipart/form-data; boundary=a; boundary=b",
             "multipart/form-data; boundary=a; boundary*=utf-8''b",
             "multipart/form-data; boundary=a b", "multipart/form-data; boundary=\"a",
             "multipart/form-data; boundary=\"a\\b\"", "multipart/form-data; boundary=a{b",
             "multipart/form-data; boundary*0=a",
             "multipart/form-data; boundary=" + longest + "b"}) {
        ASSERT_FALSE(boundary_of(type)) << type;
        EXPECT_EQ(boundary_of(type).error().kind, FaultKind::bad_request) << type;
    }
}

TEST(FormBody, FindsTheModelOfAForm) {
    struct Row {
        const char* text;
        const char* model;
        const char* stream;
    };
    const Row rows[] = {
        {"model=gpt&prompt=hi", "gpt", "<absent>"},
        {"prompt=a%26model%3Db&model=gpt%2D4", "gpt%2D4", "<absent>"},
        {"%6dodel=gpt", "gpt", "<absent>"},
        {"m%6fd%65l=", "", "<absent>"},
        {"stream=true&model=a=b", "a=b", "true"},
        {"Model=a&model2=b&mode=c&model%00=d", "<absent>", "<absent>"},
        {"a=1;2&b=model=x", "<absent>", "<absent>"},
        {"&&a&=b&", "<absent>", "<absent>"},
        {"%mo=1&model%=2&model%2=3", "<absent>", "<absent>"},
        {"", "<absent>", "<absent>"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.text);
        const auto body = scan_form(row.text, "model");
        ASSERT_TRUE(body);
        EXPECT_EQ(slice(row.text, body->model), row.model);
        EXPECT_EQ(slice(row.text, body->stream), row.stream);
        EXPECT_EQ(body->insert_at, 0U);
        EXPECT_EQ(body->is_empty, std::string_view(row.text).empty());
    }
}

TEST(FormBody, RefusesAModelInDoubt) {
    const std::pair<const char*, FaultKind> rows[] = {
        {"model=a&model=b", FaultKind::duplicate_model},
        {"model=a&%6Dodel=b", FaultKind::duplicate_model},
        {"model", FaultKind::bad_request},
        {"model=a&x=1;model=b", FaultKind::bad_request},
        {"x=1;y=2;%6dodel=b", FaultKind::bad_request},
        {";model=b", FaultKind::bad_request},
    };
    for (const auto& [text, kind] : rows) {
        const auto body = scan_form(text, "model");
        ASSERT_FALSE(body) << text;
        EXPECT_EQ(body.error().kind, kind) << text;
    }
}

TEST(FormBody, ComparesNamesDecoded) {
    EXPECT_TRUE(decodes_to("a+b%20c", "a b c"));
    EXPECT_TRUE(decodes_to("%61%2Bb", "a+b"));
    EXPECT_FALSE(decodes_to("%41", "a"));
    EXPECT_TRUE(decodes_to_ignoring_case("%41PI%5fkey", "api_KEY"));
    EXPECT_FALSE(decodes_to_ignoring_case("ap", "api"));
    EXPECT_FALSE(decodes_to_ignoring_case("apix", "api"));
}

TEST(FormBody, SaysWhatBytesAnEncodedTextStandsFor) {
    const auto bytes = [](std::string_view encoded) {
        std::string said;
        DecodedBytes from(encoded);
        for (int c = from.next(); c >= 0; c = from.next()) said.push_back(static_cast<char>(c));
        EXPECT_EQ(from.next(), -1);
        return said;
    };
    EXPECT_EQ(bytes(""), "");
    EXPECT_EQ(bytes("a+b%20c%2B"), "a b c+");
    EXPECT_EQ(bytes("%ff%FF"), "\xff\xff") << "no byte is taken for the end";
    EXPECT_EQ(bytes("%6=%zz%"), "%6=%zz%");
}

}  // namespace
}  // namespace rotary::llm
