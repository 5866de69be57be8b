#include <rotary/llm/form_body.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace rotary::llm {
namespace {

std::string slice(std::string_view text, const MemberRange& range) {
    if (!range.found) return "<absent>";
    return std::string(text.substr(range.begin, range.end - range.begin));
}

std::string part(const std::string& name, const std::string& content,
                 const std::string& more = {}) {
    return "--B\r\nContent-Disposition: form-data; name=\"" + name + "\"" + more + "\r\n\r\n" +
           content + "\r\n";
}

const std::string kEnd = "--B--\r\n";

TEST(MultipartBody, FindsTheModel) {
    struct Row {
        const char* name;
        std::string text;
        const char* model;
        const char* stream = "<absent>";
        std::size_t insert_at = 0;
    };
    const std::vector<Row> rows{
        {"first", part("model", "whisper-1") + part("file", "RIFF", "; filename=\"a.wav\"") + kEnd,
         "whisper-1"},
        {"last, and no line break at the end", part("file", "x") + part("model", "m") + "--B--",
         "m"},
        {"empty", part("model", "") + kEnd, ""},
        {"absent", part("file", "x") + kEnd, "<absent>"},
        {"no part at all", kEnd, "<absent>"},
        {"line break before the first", "\r\n" + part("file", "x") + kEnd, "<absent>", "<absent>",
         2},
        {"stream", part("stream", "true") + part("model", "m") + kEnd, "m", "true"},
        {"binary",
         part("file", std::string("\0\r\n-B\r\n\xff--\n", 11)) + part("model", "m") + kEnd, "m"},
        {"a model within a file", part("file", "name=\"model\"\r\n\r\nx") + kEnd, "<absent>"},
        {"a model as a file's name", part("file", "x", "; filename=\"model\"") + kEnd, "<absent>"},
        {"odd case and spaces",
         "--B\r\ncontent-disposition:form-data;name=model\r\nContent-Type: "
         "text/plain\r\n\r\nm\r\n" +
             kEnd,
         "m"},
        {"other case of the name", part("Model", "x") + kEnd, "<absent>"},
        {"a file's name with escapes", part("file", "x", "; filename=\"a\\\"b;c\"") + kEnd,
         "<absent>"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const auto body = scan_multipart(row.text, "B", "model");
        ASSERT_TRUE(body) << body.error().detail;
        EXPECT_EQ(slice(row.text, body->model), row.model);
        EXPECT_EQ(slice(row.text, body->stream), row.stream);
        EXPECT_EQ(body->insert_at, row.insert_at);
    }
}

TEST(MultipartBody, RefusesWhatTwoParsersCouldReadDifferently) {
    const std::string model = part("model", "m");
    const auto head = [](const std::string& lines) {
        return "--B\r\n" + lines + "\r\nx\r\n" + kEnd;
    };
    const std::pair<const char*, std::string> rows[] = {
        {"nothing", ""},
        {"no delimiter", "model=m"},
        {"a preamble", "preamble\r\n" + model + kEnd},
        {"an epilogue", model + kEnd + "epilogue"},
        {"two line breaks at the end", model + kEnd + "\r\n"},
        {"a part behind the end", model + kEnd + model + kEnd},
        {"no end", model},
        {"half an end", model + "--B-"},
        {"a delimiter that goes on", model + "--BC\r\n" + kEnd},
        {"padding behind a delimiter",
         "--B \r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n" + kEnd},
        {"delimiter on a line of LF",
         part("a", "x\n--B\nContent-Disposition: form-data; name=model") + kEnd},
        {"delimiter in the middle of a line", part("a", "x--B\r\n") + kEnd},
        {"delimiter behind a CR", part("a", "x\r--B") + kEnd},
        {"delimiter in a part's head",
         head("Content-Disposition: form-data; name=a\r\n--B: x\r\n")},
        {"content without its line break",
         "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n" + kEnd},
        {"LF in a part's head", head("Content-Disposition: form-data; name=a\nX: y\r\n")},
        {"no empty line", "--B\r\nContent-Disposition: form-data; name=a\r\n" + kEnd},
        {"folded line", head("Content-Disposition: form-data;\r\n name=model\r\n")},
        {"line without a colon", head("Content-Disposition: form-data; name=a\r\nx\r\n")},
        {"no disposition", head("Content-Type: text/plain\r\n")},
        {"two dispositions", head("Content-Disposition: form-data; name=a\r\n"
                                  "Content-Disposition: form-data; name=model\r\n")},
        {"another disposition", head("Content-Disposition: attachment; name=model\r\n")},
        {"no name", head("Content-Disposition: form-data\r\n")},
        {"two names", head("Content-Disposition: form-data; name=a; name=model\r\n")},
        {"extended name", head("Content-Disposition: form-data; name*=utf-8''model\r\n")},
        {"both names", head("Content-Disposition: form-data; name=a; name*=utf-8''model\r\n")},
        {"continued name", head("Content-Disposition: form-data; name*0=mo; name*1=del\r\n")},
        {"escaped name", head("Content-Disposition: form-data; name=\"mod\\el\"\r\n")},
        {"percent in a name", head("Content-Disposition: form-data; name=\"%6dodel\"\r\n")},
        {"open quote", head("Content-Disposition: form-data; name=\"model\r\n")},
        {"text behind a quote", head("Content-Disposition: form-data; name=\"a\"model\r\n")},
        {"empty parameter", head("Content-Disposition: form-data; ; name=a\r\n")},
        {"encoded part", head("Content-Disposition: form-data; name=a\r\n"
                              "Content-Transfer-Encoding: base64\r\n")},
    };
    for (const auto& [name, text] : rows) {
        SCOPED_TRACE(name);
        const auto body = scan_multipart(text, "B", "model");
        ASSERT_FALSE(body);
        EXPECT_EQ(body.error().kind, FaultKind::bad_request);
    }
    const auto twice = scan_multipart(model + model + kEnd, "B", "model");
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().kind, FaultKind::duplicate_model);
}

// Of a valid body with a byte gone, changed or doubled at any place the scanner reads nothing
// outside, and where it still finds a model that lies within the body.
TEST(MultipartBody, StaysInsideWhateverComes) {
    const std::string good = part("file", "x") + part("model", "m") + kEnd;
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (const std::string& middle :
             {std::string(), std::string("\r"), std::string(2, good[at])}) {
            std::string text = good;
            text.replace(at, 1, middle);
            const std::vector<char> exact(text.begin(), text.end());
            const auto body = scan_multipart({exact.data(), exact.size()}, "B", "model");
            if (!body || !body->model.found) continue;
            EXPECT_LE(body->model.begin, body->model.end);
            EXPECT_LE(body->model.end, text.size());
        }
        const auto cut = scan_multipart(std::string_view(good).substr(0, at), "B", "model");
        EXPECT_TRUE(!cut || at == good.size() - 2) << at;
    }
}

}  // namespace
}  // namespace rotary::llm
