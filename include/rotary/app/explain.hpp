#pragma once

#include <rotary/proxy/explain.hpp>
#include <rotary/routing/snapshot.hpp>

#include <string>
#include <vector>

// What `rotary routes` and `rotary explain` are told and tell.
namespace rotary::app {

// A request as it is typed, much as for curl.
struct AskedOptions {
    std::string url;
    std::string method;                // empty: POST with a body, else GET
    std::vector<std::string> headers;  // "name: value"
    std::string body;                  // "@FILE": what the file holds
    bool has_body = false;
    std::string client_address = "127.0.0.1";
};

// Throws std::invalid_argument, saying what is wrong with the options.
proxy::Asked asked_of(const AskedOptions& options);

std::string to_text(const proxy::Explanation& told);
std::string to_json(const proxy::Explanation& told);

// A line, or an object, for each rule: what is served where.
std::string routes_text(const routing::Snapshot& snapshot);
std::string routes_json(const routing::Snapshot& snapshot);

}  // namespace rotary::app
