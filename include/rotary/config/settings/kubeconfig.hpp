#pragma once

#include <optional>
#include <string>
#include <vector>

#include <rotary/config/kinds/secret.hpp>
#include <rotary/config/yaml/finding.hpp>

namespace rotary::config {

// What one context of a kubeconfig says. Of a text and a file at most one is given; files are ready
// to be opened.
struct Kubeconfig {
    std::string server;       // a URL
    std::string server_name;  // whose certificate it has to be; empty: the URL's host
    std::string ca_pem;
    std::string ca_file;
    std::string certificate_pem;
    std::string certificate_file;
    Secret key_pem;
    std::string key_file;
    Secret token;
    std::string token_file;
    std::string name_space;  // empty: default
};

// Reads the file, and of it the context (empty: the current one). Nothing, and findings, where it
// can't be used: programs that fetch credentials (`exec`, `auth-provider`), passwords, and servers
// whose certificate must not be looked at are refused.
std::optional<Kubeconfig> read_kubeconfig(const std::string& path, const std::string& context,
                                          std::vector<Finding>& findings);

}  // namespace rotary::config
