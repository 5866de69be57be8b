#include "control/key_file.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace rotary::control {

std::string read_key_file(const std::string& path, std::size_t limit, std::string& error) {
    std::string text;
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) {
        error = "not a file that can be read";
        return text;
    }
    std::ifstream file(path, std::ios::binary);
    text.resize(limit + 1);
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!file.is_open() || file.bad()) error = "not a file that can be read";
    text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
    return text;
}

}  // namespace rotary::control
