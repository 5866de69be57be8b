#include "control/https_answer.hpp"

#include <rotary/base/text.hpp>

namespace rotary::control {

bool is_interim(unsigned status) noexcept { return status < 200 && status != 101; }

std::string objection_to(const HttpsAnswerHead& head) {
    if (head.status != 200) return "status " + std::to_string(head.status);
    const bool coded =
        !head.content_encoding.empty() && !text::iequals(head.content_encoding, "identity");
    if (coded) return "a content encoding";
    // Beast reads any other transfer coding to the end of the connection, as if it were the body.
    if (head.transfer_encoding && !text::iequals(*head.transfer_encoding, "chunked")) {
        return "a transfer coding";
    }
    return {};
}

}  // namespace rotary::control
