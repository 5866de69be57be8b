#pragma once

#include <cstddef>
#include <string>

namespace rotary::config {

struct FileText {
    std::string text;
    std::string error;  // a sentence that names the file; empty: the text is whole
};

// At most `most` bytes and one more, so that too much is noticed. Anything but a regular file is
// refused unopened: a FIFO would block for ever. What may not be read is told with the user that
// asked and the file's owner and mode.
FileText read_whole_file(const std::string& path, std::size_t most);

}  // namespace rotary::config
