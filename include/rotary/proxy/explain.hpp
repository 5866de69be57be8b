#pragma once

#include <rotary/proxy/context.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What would become of a request, worked out by the very steps that serve one, and without asking a
// provider.
namespace rotary::proxy {

// A request as it would come to a listener.
struct Asked {
    std::string head;  // HTTP/1.1, its empty line included
    std::string body;
    std::string client_address = "127.0.0.1";
    bool is_tls = true;
};

// A try at one entry or Backend, with what would be sent there. Secrets are written as "***".
struct ExplainedTry {
    std::string entry;  // its id; empty: a Backend alone
    std::string model;  // empty: the client's own
    std::string backend;
    std::string method;
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers;
    std::size_t body_bytes = 0;
};

// An entry of the list, and where it stands with this request.
struct ExplainedEntry {
    std::string id;
    std::uint32_t weight = 0;
    std::size_t turn = 0;  // among the tries, from 1; 0: it is not tried
    std::string why;       // of that
};

struct ExplainedLimit {
    std::string policy;
    std::string subject;  // for whom
    std::string what;     // is counted: "requests", "total tokens"
    std::int64_t amount = 0;
    std::string unit;
};

struct Explanation {
    std::uint16_t status = 0;  // of an answer of Rotary's own; 0: a provider answers
    std::string code;          // error.code of a refusal
    std::string message;       // what its client reads
    std::string reason;        // what the log says of it
    std::string location;      // of a redirect
    std::string api;           // empty: no route serves it
    std::string environment;
    std::string route;  // the HTTPRoute
    std::string path;   // of the rule, as PathPattern::shown() has it
    std::string policy;
    std::string consumer;
    std::string subject;
    bool is_open = false;  // the route asks for no credential
    bool rotates = false;  // the list chooses the model
    unsigned max_attempts = 0;
    std::vector<ExplainedLimit> limits;
    std::vector<ExplainedEntry> entries;  // of the list, in its order
    std::vector<ExplainedTry> tries;      // each when none before it could be reached
};

// On the thread of the context's reactor. Counts as a request for the context's limits and cursors.
Explanation explain(Context& context, const Asked& asked);

}  // namespace rotary::proxy
