#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::config {

// `; did you mean "x"?` when one of the candidates is near the word, else nothing. Near: at most a
// third of the word's letters are changed, left out, added or swapped; case does not count.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

// The end of a message about a missing object: the near name, else up to five of those that are
// there, else that there is none.
std::string what_is_there(std::string_view word, std::span<const std::string> candidates);

}  // namespace rotary::config
