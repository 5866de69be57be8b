#pragma once

#include <cstddef>
#include <ostream>
#include <string>

namespace rotary::bench {

// Writes that many different tokens, a line each, with the header and the claims of `like` and a
// claim `n` of their own, signed by that RSA key (RS256). Throws.
void write_tokens(std::ostream& out, const std::string& key_file, const std::string& like,
                  std::size_t count);

}  // namespace rotary::bench
