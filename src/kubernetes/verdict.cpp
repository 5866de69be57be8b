#include "kubernetes/verdict.hpp"

namespace rotary::kubernetes {
namespace {

constexpr std::size_t kShown = 8;     // findings in a text
constexpr std::size_t kBytes = 1024;  // of one of them

// UTF-8: letters go on with bytes of 10xxxxxx.
bool goes_on(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

}  // namespace

bool is_reference(const config::Finding& finding) {
    return finding.severity == config::Severity::error &&
           finding.message.starts_with("there is no ");
}

std::string said(const config::Finding& finding, std::size_t bytes) {
    std::string text =
        finding.path.empty() ? finding.message : finding.path + ": " + finding.message;
    if (text.size() > bytes) {
        constexpr std::string_view kMore = "...";
        std::size_t end = bytes - kMore.size();
        while (end > 0 && goes_on(text[end])) {
            --end;
        }
        text.replace(end, std::string::npos, kMore);
    }
    return text;
}

std::string said(const std::vector<config::Finding>& findings, config::Severity severity) {
    std::string text;
    std::size_t count = 0;
    for (const config::Finding& finding : findings) {
        if (finding.severity == severity && ++count <= kShown) {
            text += (text.empty() ? "" : "; ") + said(finding, kBytes);
        }
    }
    if (count > kShown) {
        text += "; and " + std::to_string(count - kShown) + " more";
    }
    return text;
}

}  // namespace rotary::kubernetes
