#pragma once

#include <rotary/config/kinds/route.hpp>
#include <rotary/routing/prefix_tree.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace rotary::routing {

// Matches the paths of one HTTPRoute match below one API's base path. Immutable; any thread.
class PathPattern {
public:
    // `base` is the API's base path, "/chat/1.0". A regular expression is RE2's, as APK's, and is
    // matched against the whole rest of the path; one without metacharacters is compared as text. A
    // slash at the end of any value means nothing.
    // Throws std::invalid_argument with RE2's words when it does not compile.
    PathPattern(std::string base, const config::PathMatch& match);
    ~PathPattern();
    PathPattern(PathPattern&&) noexcept;
    PathPattern& operator=(PathPattern&&) noexcept;

    // Exact and RegularExpression allow one trailing slash; a prefix matches whole segments.
    bool matches(std::string_view path) const noexcept;
    // The longer base path first, as it holds the API's version; then Exact, expressions that are
    // plain text, other expressions, PathPrefix; then the longer value.
    std::uint64_t precedence() const noexcept;
    // Whether every path that matches is the same, but for the trailing slash.
    bool is_fixed() const noexcept { return type_ != Type::prefix && regex_ == nullptr; }
    bool is_expression() const noexcept { return regex_ != nullptr; }
    // What every path that matches begins with: all of the text, or what an expression begins with.
    std::string beginning() const;

    const std::string& base() const noexcept { return base_; }
    // What of a path that matches lies below the base path.
    std::string_view below(std::string_view path) const noexcept { return rest_of(path); }
    // As people read it: "/chat/1.0/models" is that path, "/chat/1.0/files/*" a prefix, and
    // "/chat/1.0 ~ /v[0-9]+" an expression.
    std::string shown() const;
    // The path that goes on to the provider, below its Backend's base path. `scratch` holds it when
    // it had to be put together; otherwise the view leads into `path` or `rewrite`.
    std::string_view rewritten(std::string_view path, const config::PathRewrite* rewrite,
                               std::string& scratch) const;
    // Why `rewrite` can't be put together for this pattern; empty: it can.
    std::string rewrite_error(const config::PathRewrite& rewrite) const;

private:
    using Type = config::PathType;
    std::string_view rest_of(std::string_view path) const noexcept;

    Type type_;
    std::string base_;   // without a trailing slash
    std::string value_;  // with its leading slash
    std::unique_ptr<re2::RE2> regex_;
};

// Which rule of which HTTPRoute serves a request: host, then path, then method. Compiled with the
// snapshot; immutable; any thread; find() allocates nothing.
//
// Hosts and paths are found by their beginnings, so a match costs what host and path are long, not
// how many rules there are; only expressions of one host with the same beginning ("/.*a", "/.*b"
// below one base path) are tried one after another.
class RouteTable {
public:
    struct Rule {
        PathPattern pattern;
        std::string method;  // upper case; empty: every method
        std::size_t route;   // the caller's index
    };
    struct Found {
        const Rule* rule = nullptr;
        bool host_known = false;  // some rule is for this host
        bool path_known = false;  // some rule has this path, with another method
        unsigned looked_at = 0;   // steps through the trees, and rules that were compared
    };

    // Hosts are lower case; "*.example.com" covers every name below; "" is any host.
    void add(std::string_view host, Rule rule);
    void finish();  // sorts by precedence; call once after the last add()

    Found find(std::string_view host, std::string_view path,
               std::string_view method) const noexcept;
    // Each rule with its host, "*.example.com" or "" for any, in the order in which they are
    // looked at.
    template <class Visit>
    void each(const Visit& visit) const {
        for (const Host& host : hosts_) {
            const bool is_wildcard = host.kind == Host::Kind::wildcard;
            for (const Rule& rule : host.rules) visit((is_wildcard ? "*" : "") + host.name, rule);
        }
    }
    // "a.example.com, *.example.com": as many as fit a line of some hundred characters.
    std::string hosts() const;
    // "GET, POST": the methods of all rules with this host and path, for 405's Allow.
    std::string allowed_methods(std::string_view host, std::string_view path) const;

private:
    using Ranks = std::vector<std::uint32_t>;  // places in Host::rules, ascending

    // The rules whose paths begin alike.
    struct Place {
        Ranks texts;
        Ranks expressions;
    };
    struct Host {
        std::string name;  // exact; for wildcards the suffix with its dot; empty: any
        enum class Kind : std::uint8_t { exact, wildcard, any } kind;
        std::vector<Rule> rules;     // by precedence
        PrefixTree beginnings = {};  // of paths, to `places`
        std::vector<Place> places = {};
        bool has_expressions = false;             // any rule's
        std::uint32_t wider = PrefixTree::kNone;  // the next host that covers its names too

        void index();
        void find(std::string_view path, std::string_view method, Found& found) const noexcept;
    };

    // The narrowest host that covers the name, and the narrowest wildcard.
    std::uint32_t narrowest(std::string_view host, unsigned& steps) const noexcept;
    std::uint32_t wildcard_for(std::string_view host, unsigned& steps) const noexcept;

    std::vector<Host> hosts_;  // exact first, then wildcards by length, then any
    std::map<std::string, std::size_t, std::less<>> by_name_;  // as they were added
    PrefixTree exact_;                                         // names read backwards, to hosts_
    PrefixTree wildcards_;
    std::uint32_t any_ = PrefixTree::kNone;
};

// True when a path has "." or ".." segments, also percent-encoded, also between backslashes or
// encoded slashes: two programs may read it differently, so it is refused.
bool has_dot_segment(std::string_view path) noexcept;

}  // namespace rotary::routing
