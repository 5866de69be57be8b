// Claims and the table of issuers: what verify() gives and takes.
#include <rotary/auth/jwt.hpp>
#include <rotary/base/ip_address.hpp>
#include <rotary/base/text.hpp>
#include <rotary/wire/forwarded_headers.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

namespace rotary::auth {

namespace {

std::atomic<std::uint64_t> last_table{0};

template <class Views, class Visit>
void for_each_text(Views& views, Visit&& visit) {
    visit(views.issuer);
    visit(views.subject);
    visit(views.client_id);
    visit(views.kid);
    visit(views.application);
    visit(views.permitted_addresses);
    visit(views.permitted_referers);
    for (auto& scope : views.scopes) visit(scope);
    for (auto& audience : views.audiences) visit(audience);
    for (auto& claim : views.named) {
        visit(claim.name);
        visit(claim.value);
    }
}

std::size_t text_bytes(const ClaimViews& views) {
    std::size_t bytes = 0;
    for_each_text(views, [&](std::string_view text) { bytes += text.size(); });
    return bytes;
}

}  // namespace

IssuerTable::IssuerTable(std::vector<Issuer> issuers)
    : issuers_(std::move(issuers)),
      generation_(last_table.fetch_add(1, std::memory_order_relaxed) + 1) {}

bool TrustedIssuers::trusts(const Issuer& issuer) const noexcept {
    const auto fits = [this](std::string_view name) { return name == "*" || name == environment; };
    return issuer.organization == organization &&
           (issuer.environments.empty() ||
            std::any_of(issuer.environments.begin(), issuer.environments.end(), fits));
}

const char* to_string(TokenDefect defect) noexcept {
    switch (defect) {
        case TokenDefect::none:
            break;
        case TokenDefect::malformed:
            return "malformed token";
        case TokenDefect::wrong_issuer:
            return "wrong issuer";
        case TokenDefect::not_trusted:
            return "issuer of another organization or environment";
        case TokenDefect::no_keys:
            return "the issuer's keys are not there";
        case TokenDefect::unknown_kid:
            return "unknown kid";
        case TokenDefect::bad_signature:
            return "bad signature";
        case TokenDefect::bad_times:
            return "exp is missing, or exp, nbf or iat is no number";
        case TokenDefect::expired:
            return "expired";
        case TokenDefect::not_yet_valid:
            return "not yet valid";
        case TokenDefect::wrong_audience:
            return "wrong audience";
    }
    return "";
}

Claims::Claims(const ClaimViews& views)
    : views_(views),
      block_bytes_(text_bytes(views)),
      block_(std::make_unique<char[]>(block_bytes_)) {
    char* at = block_.get();
    for_each_text(views_, [&](std::string_view& text) {
        if (!text.empty()) std::memcpy(at, text.data(), text.size());
        text = {at, text.size()};
        at += text.size();
    });
}

std::string_view Claims::named(std::string_view claim) const noexcept {
    const auto found = std::find_if(views_.named.begin(), views_.named.end(),
                                    [claim](const auto& one) { return one.name == claim; });
    return found == views_.named.end() ? std::string_view{} : found->value;
}

bool Claims::has_scope(std::string_view scope) const noexcept {
    return std::find(views_.scopes.begin(), views_.scopes.end(), scope) != views_.scopes.end();
}

bool Claims::permits_address(std::string_view address) const noexcept {
    if (views_.permitted_addresses.empty()) return true;
    const auto parsed = parse_ip_address(address);
    return parsed && is_one_of(*parsed, views_.permitted_addresses);
}

// As APIM has it: a list parted by commas, in which "*" stands for any characters.
bool Claims::permits_referer(std::string_view referer) const noexcept {
    std::string_view rest = views_.permitted_referers;
    if (rest.empty()) return true;
    while (!rest.empty()) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        const std::string_view glob = text::trim(rest.substr(0, comma));
        if (!glob.empty() && wire::matches_glob(glob, referer)) return true;
        rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    return false;
}

bool Claims::meant_for(std::span<const std::string> wanted) const noexcept {
    if (wanted.empty()) return true;
    return std::any_of(wanted.begin(), wanted.end(), [this](const std::string& audience) {
        return std::find(views_.audiences.begin(), views_.audiences.end(), audience) !=
               views_.audiences.end();
    });
}

std::size_t Claims::bytes() const noexcept {
    constexpr std::size_t kAllocations = 5;
    constexpr std::size_t kOverhead = 24;  // of each, with what it is rounded up by
    return sizeof(Claims) + kAllocations * kOverhead + block_bytes_ +
           (views_.scopes.capacity() + views_.audiences.capacity()) * sizeof(std::string_view) +
           views_.named.capacity() * sizeof(ClaimViews::Named);
}

}  // namespace rotary::auth
