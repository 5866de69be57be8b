#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace rotary::kubernetes {

// Cuts a stream into lines, however it comes in pieces.
class LineReader {
public:
    explicit LineReader(std::size_t most) noexcept : most_(most) {}

    // Calls `on_line` for each line that the piece completes, until that says that it is enough.
    // False: a line is longer than may be.
    template <class OnLine>
    bool add(std::string_view piece, const OnLine& on_line) {
        for (std::size_t end = piece.find('\n'); end != piece.npos; end = piece.find('\n')) {
            if (rest_.size() + end > most_) return false;
            bool goes_on = false;
            if (rest_.empty()) {
                goes_on = on_line(piece.substr(0, end));
            } else {
                rest_.append(piece.substr(0, end));
                const std::string line = std::exchange(rest_, {});
                goes_on = on_line(std::string_view(line));
            }
            if (!goes_on) return true;
            piece.remove_prefix(end + 1);
        }
        if (rest_.size() + piece.size() > most_) return false;
        rest_.append(piece);
        return true;
    }
    bool has_rest() const noexcept { return !rest_.empty(); }

private:
    std::size_t most_;
    std::string rest_;
};

}  // namespace rotary::kubernetes
