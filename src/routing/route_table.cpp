#include <rotary/base/text.hpp>
#include <rotary/routing/route_table.hpp>

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace rotary::routing {

namespace {

// "/chat\.completions" and "/chat/completions": expressions that mean one text only. WSO2's samples
// write plain paths as expressions, so most routes end here and cost a comparison.
bool is_literal(std::string_view pattern, std::string& text) {
    constexpr std::string_view kSpecial = "\\^$.|?*+()[]{}";
    text.clear();
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const bool escaped = pattern[i] == '\\' && i + 1 < pattern.size();
        if (escaped) ++i;
        const char c = pattern[i];
        const bool special = kSpecial.find(c) != std::string_view::npos;
        // An escaped letter is a class (\d); an escaped special character is itself.
        if (escaped ? !special && c != '/' && c != '-' : special) return false;
        text.push_back(c);
    }
    return true;
}

void drop_trailing_slashes(std::string& path) {
    while (!path.empty() && path.back() == '/') path.pop_back();
}

// The expression for the whole of a path and one trailing slash. It is anchored by itself, not only
// by how it is matched: RE2's Replace() looks for it anywhere, and would take the shorter one of
// "/a|/ab".
std::unique_ptr<re2::RE2> compiled(std::string value) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    // By itself first: "/a)(b" would be right between the parentheses that follow.
    const re2::RE2 alone(value, options);
    if (!alone.ok()) throw std::invalid_argument(alone.error());
    while (value.ends_with('/') && !value.ends_with("\\/")) value.pop_back();
    auto whole = std::make_unique<re2::RE2>("\\A(?:" + value + ")/?\\z", options);
    if (!whole->ok()) throw std::invalid_argument(whole->error());
    return whole;
}

bool equal_but_slash(std::string_view path, std::string_view value) noexcept {
    if (path == value) return true;
    return path.size() == value.size() + 1 && path.back() == '/' && path.starts_with(value);
}

bool has_group_reference(std::string_view rewrite) noexcept {
    for (std::size_t i = 0; i + 1 < rewrite.size(); ++i) {
        if (rewrite[i] == '\\' && rewrite[i + 1] >= '0' && rewrite[i + 1] <= '9') return true;
    }
    return false;
}

}  // namespace

PathPattern::PathPattern(std::string base, const config::PathMatch& match)
    : type_(match.type), base_(std::move(base)), value_(match.value) {
    drop_trailing_slashes(base_);
    std::string literal;
    if (type_ == Type::regex) {
        if (is_literal(value_, literal)) {
            value_ = literal;
        } else {
            regex_ = compiled(value_);
        }
    }
    if (regex_ == nullptr) drop_trailing_slashes(value_);
    if (regex_ == nullptr && !value_.empty() && value_.front() != '/') value_.insert(0, 1, '/');
}

PathPattern::~PathPattern() = default;
PathPattern::PathPattern(PathPattern&&) noexcept = default;
PathPattern& PathPattern::operator=(PathPattern&&) noexcept = default;

std::string_view PathPattern::rest_of(std::string_view path) const noexcept {
    return path.substr(base_.size());
}

bool PathPattern::matches(std::string_view path) const noexcept {
    if (!path.starts_with(base_)) return false;
    const std::string_view rest = rest_of(path);
    if (!rest.empty() && rest.front() != '/') return false;
    switch (type_) {
        case Type::exact:
            return equal_but_slash(rest, value_);
        case Type::prefix:
            return rest.starts_with(value_) &&
                   (rest.size() == value_.size() || rest[value_.size()] == '/');
        case Type::regex:
            if (regex_ == nullptr) return equal_but_slash(rest, value_);
            return re2::RE2::FullMatch(re2::StringPiece(rest.data(), rest.size()), *regex_);
    }
    return false;
}

std::uint64_t PathPattern::precedence() const noexcept {
    std::uint64_t kind = 0;
    if (type_ == Type::exact) kind = 3;
    if (type_ == Type::regex) kind = regex_ == nullptr ? 2 : 1;
    return std::uint64_t{base_.size()} << 40 | kind << 32 | value_.size();
}

std::string_view PathPattern::rewritten(std::string_view path, const config::PathRewrite* rewrite,
                                        std::string& scratch) const {
    const std::string_view rest = rest_of(path);
    if (rewrite == nullptr) {
        if (!rest.empty()) return rest;
        return "/";
    }
    if (rewrite->kind == config::PathRewrite::Kind::full) {
        if (regex_ == nullptr || !has_group_reference(rewrite->value)) return rewrite->value;
        scratch.assign(rest);
        re2::RE2::Replace(&scratch, *regex_, rewrite->value);
        return scratch;
    }
    const std::size_t matched = type_ == Type::prefix ? value_.size() : rest.size();
    scratch.assign(rewrite->value);
    drop_trailing_slashes(scratch);
    scratch.append(rest.substr(matched));
    if (scratch.empty() || scratch.front() != '/') scratch.insert(0, 1, '/');
    return scratch;
}

std::string PathPattern::rewrite_error(const config::PathRewrite& rewrite) const {
    if (rewrite.kind != config::PathRewrite::Kind::full || !has_group_reference(rewrite.value)) {
        return {};
    }
    if (regex_ == nullptr) return "the path that it rewrites has no groups";
    std::string why;
    return regex_->CheckRewriteString(rewrite.value, &why) ? std::string() : why;
}

bool RouteTable::Host::covers(std::string_view host) const noexcept {
    switch (kind) {
        case Kind::any:
            return true;
        case Kind::exact:
            return text::iequals(host, name);
        case Kind::wildcard:
            return host.size() > name.size() &&
                   text::iequals(host.substr(host.size() - name.size()), name);
    }
    return false;
}

void RouteTable::add(std::string_view host, Rule rule) {
    Host::Kind kind = host.empty() ? Host::Kind::any : Host::Kind::exact;
    if (host.starts_with("*.")) {
        kind = Host::Kind::wildcard;
        host.remove_prefix(1);
    }
    auto place = std::find_if(hosts_.begin(), hosts_.end(), [&](const Host& known) {
        return known.kind == kind && known.name == host;
    });
    if (place == hosts_.end()) {
        hosts_.push_back({std::string(host), kind, {}});
        place = hosts_.end() - 1;
    }
    place->rules.push_back(std::move(rule));
}

void RouteTable::finish() {
    std::stable_sort(hosts_.begin(), hosts_.end(), [](const Host& a, const Host& b) {
        return a.kind != b.kind ? a.kind < b.kind : a.name.size() > b.name.size();
    });
    for (Host& host : hosts_) {
        std::stable_sort(host.rules.begin(), host.rules.end(), [](const Rule& a, const Rule& b) {
            return a.pattern.precedence() > b.pattern.precedence();
        });
    }
}

RouteTable::Found RouteTable::find(std::string_view host, std::string_view path,
                                   std::string_view method) const noexcept {
    Found found;
    for (const Host& known : hosts_) {
        if (!known.covers(host)) continue;
        found.host_known = true;
        for (const Rule& rule : known.rules) {
            const bool method_fits = rule.method.empty() || rule.method == method;
            if (!method_fits && found.path_known) continue;
            if (!rule.pattern.matches(path)) continue;
            found.path_known = true;
            if (!method_fits) continue;
            found.rule = &rule;
            return found;
        }
    }
    return found;
}

std::string RouteTable::hosts() const {
    constexpr std::size_t kLongest = 400;
    std::string joined;
    for (const Host& host : hosts_) {
        std::string name = host.kind == Host::Kind::wildcard ? "*" + host.name : host.name;
        if (host.kind == Host::Kind::any) name = "any host";
        if (!joined.empty()) joined += ", ";
        if (joined.size() + name.size() > kLongest) return joined + "…";
        joined += name;
    }
    return joined;
}

std::string RouteTable::allowed_methods(std::string_view host, std::string_view path) const {
    std::vector<std::string_view> methods;
    for (const Host& known : hosts_) {
        if (!known.covers(host)) continue;
        for (const Rule& rule : known.rules) {
            if (rule.pattern.matches(path)) methods.push_back(rule.method);
        }
    }
    std::sort(methods.begin(), methods.end());
    methods.erase(std::unique(methods.begin(), methods.end()), methods.end());
    std::string joined;
    for (const std::string_view method : methods) {
        joined.append(joined.empty() ? "" : ", ").append(method);
    }
    return joined;
}

bool has_dot_segment(std::string_view path) noexcept {
    bool only_dots = true;  // in the segment so far
    std::size_t dots = 0;
    while (!path.empty()) {
        const bool escaped = path.size() >= 3 && path.front() == '%';
        const std::string_view one = path.substr(0, escaped ? 3 : 1);
        path.remove_prefix(one.size());
        if (one == "/" || one == "\\" || text::iequals(one, "%2f") || text::iequals(one, "%5c")) {
            if (only_dots && (dots == 1 || dots == 2)) return true;
            only_dots = true;
            dots = 0;
        } else if (one == "." || text::iequals(one, "%2e")) {
            ++dots;
        } else {
            only_dots = false;
        }
    }
    return only_dots && (dots == 1 || dots == 2);
}

}  // namespace rotary::routing
