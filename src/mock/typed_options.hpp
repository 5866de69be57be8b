#pragma once

#include <rotary/mock/provider.hpp>

#include <string>
#include <vector>

namespace rotary::mock {

// The options of `rotary mock` as they were typed.
struct TypedOptions {
    std::string listen = "127.0.0.1:8081";
    std::string latency = "0";
    std::string chunk_interval = "0";
    std::vector<std::string> quotas;
    std::vector<std::string> fail_rates;
    std::vector<std::string> tls;  // none, or certificate and key
    MockOptions options;           // those that need no reading
};

// Declares them all; `typed` outlives the parse.
void add_options(cli::Command& command, TypedOptions& typed);

// What they mean. Throws cli::Misuse with the option's name.
MockOptions read_options(const TypedOptions& typed);

}  // namespace rotary::mock
