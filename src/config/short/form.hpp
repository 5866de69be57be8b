#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <rotary/config/kinds/endpoint.hpp>
#include "config/yaml/fields.hpp"

namespace rotary::config {

// The short form: what `providers` and `apis` of rotary.yaml say. Nodes keep what was written, with
// its variables, and where.

// An account at a provider: its address and its key.
struct ShortProvider {
    std::string name;
    Node place;  // of its name
    Node url;
    std::string protocol;
    std::string host;
    std::uint16_t port = 0;
    std::string base_path;
    std::optional<Node> key;  // without its scheme
    std::optional<Node> key_file;
    std::string key_path;  // of key_file, absolute
};

struct ShortEntry {
    Node model;
    std::string provider;
    Node provider_place;
    std::optional<Node> weight;
    std::vector<std::string> endpoints;
};

// One environment of an API.
struct ShortSide {
    std::vector<Node> hosts;
    std::vector<ShortEntry> entries;
};

struct ShortApi {
    std::string name;
    std::string path;
    std::string version;  // what the path ends with
    Node place;
    Node path_place;
    std::string issuer;
    Node issuer_place;
    std::string jwks;  // absolute where it is a file
    Node jwks_place;
    std::vector<std::pair<std::string, Node>> keys;  // of a consumer, the hash
    std::optional<Node> suspend_seconds;
    std::vector<std::string> endpoints;  // all that it has
    ShortSide production;
    std::optional<ShortSide> sandbox;
};

struct ShortForm {
    std::vector<ShortProvider> providers;
    std::vector<ShortApi> apis;
    bool broken = false;  // it has mistakes, which were reported
};

// Takes both keys out of rotary.yaml's top level.
ShortForm read_short_form(Fields& top);

// The resources that it stands for, each as the document that would say the same. Their places are
// those of the short form.
std::vector<Node> expand_short_form(const ShortForm& form);

// By line and column, what the values of the short form are called: apis[0].production[1].weight.
using ShortPlaces = std::map<std::pair<int, int>, std::string>;
ShortPlaces places_of_short_form(const Node& root);

}  // namespace rotary::config
