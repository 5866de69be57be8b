#include <rotary/wire/forwarded_for.hpp>

#include <rotary/base/text.hpp>

#include <algorithm>

namespace rotary::wire {

namespace {

// An address as RFC 7239 section 6 writes it, and what proxies write in X-Forwarded-For: with a
// port or without, IPv6 in brackets or not.
std::optional<IpAddress> address_of(std::string_view node) noexcept {
    if (node.starts_with('[')) {
        const std::size_t end = node.find(']');
        if (end == node.npos) return std::nullopt;
        const std::string_view rest = node.substr(end + 1);
        if (!rest.empty() && !rest.starts_with(':')) return std::nullopt;
        const std::string_view inner = node.substr(1, end - 1);
        if (inner.find(':') == inner.npos) return std::nullopt;
        return parse_ip_address(inner);
    }
    const bool has_port = std::count(node.begin(), node.end(), ':') == 1;
    return parse_ip_address(has_port ? node.substr(0, node.find(':')) : node);
}

// The last element of a list of fields that may hold quoted strings (RFC 9110 section 5.6.4); the
// list ends before it then.
std::string_view take_last(std::string_view& list, char separator) noexcept {
    std::size_t begin = 0;
    bool is_quoted = false;
    for (std::size_t at = 0; at < list.size(); ++at) {
        if (is_quoted && list[at] == '\\') {
            ++at;
        } else if (list[at] == '"') {
            is_quoted = !is_quoted;
        } else if (!is_quoted && list[at] == separator) {
            begin = at + 1;
        }
    }
    const std::string_view last = text::trim(list.substr(begin));
    list = list.substr(0, begin == 0 ? 0 : begin - 1);
    return last;
}

std::string_view unquoted(std::string_view value) noexcept {
    const bool is_quoted = value.size() > 1 && value.front() == '"' && value.back() == '"';
    return is_quoted ? value.substr(1, value.size() - 2) : value;
}

// The value of `for` of one element; empty where there is none.
std::string_view node_of(std::string_view element) noexcept {
    while (!element.empty()) {
        const std::string_view pair = take_last(element, ';');
        const std::size_t equals = pair.find('=');
        if (equals != pair.npos && text::iequals(pair.substr(0, equals), "for")) {
            return unquoted(pair.substr(equals + 1));
        }
    }
    return {};
}

}  // namespace

bool ForwardedPath::step(std::string_view node) noexcept {
    const auto address = address_of(node);
    if (!address) return false;
    client_ = address;
    return ++steps_ < kMostSteps &&
           std::any_of(trusted_.begin(), trusted_.end(),
                       [&](const IpRange& range) { return range.holds(*address); });
}

bool ForwardedPath::read_x_forwarded_for(std::string_view value) noexcept {
    while (!value.empty()) {
        const std::string_view node = take_last(value, ',');
        if (!node.empty() && !step(node)) return false;  // an empty element counts for nothing
    }
    return true;
}

bool ForwardedPath::read_forwarded(std::string_view value) noexcept {
    while (!value.empty()) {
        const std::string_view element = take_last(value, ',');
        if (!element.empty() && !step(node_of(element))) return false;
    }
    return true;
}

}  // namespace rotary::wire
