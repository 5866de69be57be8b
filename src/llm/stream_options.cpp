#include <rotary/llm/stream_options.hpp>

#include <span>
#include <string>

namespace rotary::llm {

namespace {

constexpr std::string_view kWhole = R"({"include_usage":true})";
constexpr std::string_view kOptions = R"("stream_options":{"include_usage":true},)";
constexpr std::string_view kMember = R"("include_usage":true)";
constexpr std::string_view kMemberAndMore = R"("include_usage":true,)";
constexpr std::size_t kDepth = 64;

}  // namespace

std::optional<BodyEdit> ask_for_usage(std::string_view body, const ScannedBody& scan) {
    if (!scan.stream_options.found) {
        const std::size_t at = body.find('{') + 1;  // something follows: the member `stream`
        return BodyEdit{at, at, kOptions};
    }
    const std::size_t begin = scan.stream_options.begin;
    const std::size_t end = scan.stream_options.end;
    const std::string_view options = body.substr(begin, end - begin);
    static const std::string kName = "include_usage";
    const auto inner = scan_body(options, std::span(&kName, 1), kDepth);
    if (!inner) return BodyEdit{begin, end, kWhole};  // null, or said twice
    if (is_true(options, inner->model)) return std::nullopt;
    if (inner->model.found) {
        return BodyEdit{begin + inner->model.begin, begin + inner->model.end, "true"};
    }
    const std::size_t at = begin + inner->insert_at;
    return BodyEdit{at, at, inner->is_empty ? kMember : kMemberAndMore};
}

bool names_stream_options(std::string_view body) noexcept {
    return body.find("stream_options") != body.npos || body.find("include_usage") != body.npos;
}

}  // namespace rotary::llm
