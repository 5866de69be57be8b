#include <rotary/wire/forwarded_headers.hpp>

#include <rotary/base/text.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace rotary::wire {
namespace {

// Its length has settled which few names it can be, so one comparison or two remain.
bool is_listed(std::string_view name) noexcept {
    const auto is = [name](std::string_view other) { return text::iequals(name, other); };
    switch (name.size()) {
        case 5:
            return is("range");
        case 6:
            return is("accept") || is("prefer");
        case 7:
            return is("x-title");
        case 10:
            return is("user-agent") || is("tracestate");
        case 11:
            return is("traceparent") || is("openai-beta");
        case 12:
            return is("content-type") || is("x-request-id") || is("http-referer");
        case 14:
            return is("anthropic-beta");
        case 15:
            return is("accept-encoding") || is("idempotency-key");
        case 17:
            return is("anthropic-version");
        default:
            return false;
    }
}

bool is_of_a_family(std::string_view name) noexcept {
    const auto begins = [name](std::string_view prefix) {
        return text::istarts_with(name, prefix);
    };
    return begins("content-") || begins("accept-") || begins("if-");
}

// Parts of a name that give a credential away wherever they stand in it.
constexpr std::array<std::string_view, 14> kTellingParts = {
    "token",  "secret", "passw",  "credential", "cookie",    "apikey", "authoriz",
    "authen", "jwt",    "bearer", "session",    "signature", "saml",   "assertion"};
// The same of parts that are common within other words.
constexpr std::array<std::string_view, 9> kTellingWords = {"key", "keys", "auth", "sid", "sig",
                                                           "pwd", "cert", "oidc", "otp"};

bool contains(std::string_view name, std::string_view part) noexcept {
    for (std::size_t at = 0; at + part.size() <= name.size(); ++at) {
        if (text::iequals(name.substr(at, part.size()), part)) return true;
    }
    return false;
}

bool holds_word(std::string_view name, std::string_view word) noexcept {
    while (!name.empty()) {
        const std::size_t end = std::min(name.find_first_of("-_."), name.size());
        if (text::iequals(name.substr(0, end), word)) return true;
        name.remove_prefix(std::min(end + 1, name.size()));
    }
    return false;
}

bool is_ours(std::string_view name) noexcept {
    const auto is = [name](std::string_view other) { return text::iequals(name, other); };
    return is("host") || is("content-length") || is("expect") || is("x-client-request-id");
}

}  // namespace

bool goes_on_to_provider(std::string_view name) noexcept {
    if (is_listed(name)) return true;
    return is_of_a_family(name) && may_go_on_to_provider(name);
}

bool names_credential(std::string_view name) noexcept {
    if (text::iequals(name, "idempotency-key")) return false;
    return std::any_of(kTellingParts.begin(), kTellingParts.end(),
                       [name](std::string_view part) { return contains(name, part); }) ||
           std::any_of(kTellingWords.begin(), kTellingWords.end(),
                       [name](std::string_view word) { return holds_word(name, word); });
}

bool may_go_on_to_provider(std::string_view name) noexcept {
    return !is_ours(name) && !names_credential(name);
}

bool matches_glob(std::string_view glob, std::string_view name) noexcept {
    std::size_t in_glob = 0;
    std::size_t in_name = 0;
    std::size_t star = glob.npos;  // the last one met, and what of the name it begins with
    std::size_t resume = 0;
    while (in_name < name.size()) {
        const bool more = in_glob < glob.size();
        if (more && glob[in_glob] == '*') {
            star = in_glob++;
            resume = in_name;
        } else if (more && text::lower(glob[in_glob]) == text::lower(name[in_name])) {
            ++in_glob;
            ++in_name;
        } else if (star != glob.npos) {
            in_glob = star + 1;
            in_name = ++resume;
        } else {
            return false;
        }
    }
    return glob.substr(in_glob).find_first_not_of('*') == glob.npos;
}

}  // namespace rotary::wire
