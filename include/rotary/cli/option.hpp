#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class Option;
}

namespace rotary::cli {

// An option of a command, or a word in a place of its own: what is declared of it, and later
// whether it was typed. A handle, good for as long as its Program.
class Option {
public:
    explicit Option(CLI::Option& option) noexcept : option_(&option) {}

    Option& required();
    Option& takes(const std::string& name);  // what its help calls the value: "FILE"
    Option& shows_default();                 // in its help, what the variable holds now
    Option& repeatable();                    // a list, of which each time adds one word
    Option& one_of(const std::vector<std::string>& values);
    Option& between(std::int64_t least, std::int64_t most);
    Option& existing_files(int count);  // so many, with commas between them
    Option& needs(Option other);
    Option& excludes(Option other);

    bool was_typed() const;

private:
    CLI::Option* option_;
};

}  // namespace rotary::cli
