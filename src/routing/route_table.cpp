#include <rotary/base/text.hpp>
#include <rotary/routing/route_table.hpp>

#include <re2/re2.h>

#include <algorithm>
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

std::string PathPattern::beginning() const {
    if (regex_ == nullptr) return base_ + value_;
    constexpr int kLongest = 256;
    std::string least;
    std::string most;
    if (!regex_->PossibleMatchRange(&least, &most, kLongest)) return base_;
    // What lies between two texts begins as both do.
    const auto differs = std::mismatch(least.begin(), least.end(), most.begin(), most.end());
    return base_ + std::string(least.begin(), differs.first);
}

std::string PathPattern::shown() const {
    if (regex_ != nullptr) return base_ + " ~ " + value_;
    return type_ == Type::prefix ? base_ + value_ + "/*" : base_ + value_;
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

void RouteTable::Host::index() {
    std::stable_sort(rules.begin(), rules.end(), [](const Rule& a, const Rule& b) {
        return a.pattern.precedence() > b.pattern.precedence();
    });
    for (std::uint32_t rank = 0; rank < rules.size(); ++rank) {
        const PathPattern& pattern = rules[rank].pattern;
        std::uint32_t& place = beginnings[pattern.beginning()];
        if (place == PrefixTree::kNone) {
            place = static_cast<std::uint32_t>(places.size());
            places.emplace_back();
        }
        Place& at = places[place];
        (pattern.is_expression() ? at.expressions : at.texts).push_back(rank);
        has_expressions = has_expressions || pattern.is_expression();
    }
}

// The first rule of all those that match. Texts are cheap and come first; an expression is tried
// only where it would go before what has been found.
void RouteTable::Host::find(std::string_view path, std::string_view method,
                            Found& found) const noexcept {
    std::size_t best = rules.size();
    const auto look_at = [&](const Ranks& ranks) {
        for (const std::uint32_t rank : ranks) {
            if (rank >= best) return;
            const Rule& rule = rules[rank];
            ++found.looked_at;
            const bool method_fits = rule.method.empty() || rule.method == method;
            if (!method_fits && found.path_known) continue;
            if (!rule.pattern.matches(path)) continue;
            found.path_known = true;
            if (method_fits) best = rank;
        }
    };
    found.looked_at += beginnings.walk(
        path, [&](std::uint32_t place, std::size_t) { look_at(places[place].texts); });
    if (has_expressions) {
        found.looked_at += beginnings.walk(
            path, [&](std::uint32_t place, std::size_t) { look_at(places[place].expressions); });
    }
    if (best < rules.size()) found.rule = &rules[best];
}

void RouteTable::add(std::string_view host, Rule rule) {
    const auto known = by_name_.find(host);
    if (known != by_name_.end()) {
        hosts_[known->second].rules.push_back(std::move(rule));
        return;
    }
    by_name_.emplace(host, hosts_.size());
    Host::Kind kind = host.empty() ? Host::Kind::any : Host::Kind::exact;
    if (host.starts_with("*.")) {
        kind = Host::Kind::wildcard;
        host.remove_prefix(1);
    }
    Host& made = hosts_.emplace_back(Host{std::string(host), kind, {}});
    made.rules.push_back(std::move(rule));
}

void RouteTable::finish() {
    by_name_.clear();
    std::stable_sort(hosts_.begin(), hosts_.end(), [](const Host& a, const Host& b) {
        return a.kind != b.kind ? a.kind < b.kind : a.name.size() > b.name.size();
    });
    for (std::uint32_t i = 0; i < hosts_.size(); ++i) {
        Host& host = hosts_[i];
        host.index();
        const std::string backwards(host.name.rbegin(), host.name.rend());
        if (host.kind == Host::Kind::exact) exact_[backwards] = i;
        if (host.kind == Host::Kind::wildcard) wildcards_[backwards] = i;
        if (host.kind == Host::Kind::any) any_ = i;
    }
    unsigned steps = 0;
    for (Host& host : hosts_) {
        if (host.kind != Host::Kind::any) host.wider = wildcard_for(host.name, steps);
    }
}

std::uint32_t RouteTable::wildcard_for(std::string_view host, unsigned& steps) const noexcept {
    std::uint32_t longest = any_;
    steps += wildcards_.walk(Backwards(host), [&](std::uint32_t found, std::size_t size) {
        if (size < host.size()) longest = found;  // "*.example.com" is not for ".example.com"
    });
    return longest;
}

std::uint32_t RouteTable::narrowest(std::string_view host, unsigned& steps) const noexcept {
    std::uint32_t exact = PrefixTree::kNone;
    steps += exact_.walk(Backwards(host), [&](std::uint32_t found, std::size_t size) {
        if (size == host.size()) exact = found;
    });
    return exact != PrefixTree::kNone ? exact : wildcard_for(host, steps);
}

RouteTable::Found RouteTable::find(std::string_view host, std::string_view path,
                                   std::string_view method) const noexcept {
    Found found;
    for (std::uint32_t i = narrowest(host, found.looked_at); i != PrefixTree::kNone;
         i = hosts_[i].wider) {
        found.host_known = true;
        hosts_[i].find(path, method, found);
        if (found.rule != nullptr) break;
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
    unsigned steps = 0;
    for (std::uint32_t i = narrowest(host, steps); i != PrefixTree::kNone; i = hosts_[i].wider) {
        const Host& known = hosts_[i];
        known.beginnings.walk(path, [&](std::uint32_t place, std::size_t) {
            for (const Ranks* ranks :
                 {&known.places[place].texts, &known.places[place].expressions}) {
                for (const std::uint32_t rank : *ranks) {
                    const Rule& rule = known.rules[rank];
                    if (rule.pattern.matches(path)) methods.push_back(rule.method);
                }
            }
        });
    }
    std::sort(methods.begin(), methods.end());
    methods.erase(std::unique(methods.begin(), methods.end()), methods.end());
    std::string joined;
    for (const std::string_view method : methods) {
        joined.append(joined.empty() ? "" : ", ").append(method);
    }
    return joined;
}

namespace {

// Nearly all paths have nothing of which a dot segment is made.
bool may_have_dot_segment(std::string_view path) noexcept {
    if (path.starts_with('.') || path.find('%') != path.npos || path.find('\\') != path.npos) {
        return true;
    }
    for (std::size_t dot = path.find('.', 1); dot < path.size(); dot = path.find('.', dot + 1)) {
        if (path[dot - 1] == '/') return true;
    }
    return false;
}

}  // namespace

bool has_dot_segment(std::string_view path) noexcept {
    if (!may_have_dot_segment(path)) return false;
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
