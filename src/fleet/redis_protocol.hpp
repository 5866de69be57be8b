#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <rotary/fleet/reply.hpp>

namespace rotary::fleet {

// What a reply may hold. A server that sends more is none that can be talked to.
inline constexpr std::size_t kMostBulkBytes = 1024 * 1024;
inline constexpr std::size_t kMostLineBytes = 64 * 1024;
inline constexpr std::size_t kMostNodes = 65'536;
inline constexpr int kMostDepth = 7;  // arrays in arrays; hiredis goes no further

// A command as RESP2 has it: an array of bulk strings. Throws std::bad_alloc.
std::string format_command(std::span<const std::string> words);

// Bytes of a connection into replies (RESP2), by the reader of hiredis with bounds. It has an end
// at the first thing that is wrong: from there on nothing can be told from anything else.
class ReplyReader {
public:
    ReplyReader();
    ~ReplyReader();
    ReplyReader(const ReplyReader&) = delete;
    ReplyReader& operator=(const ReplyReader&) = delete;

    // Returns false once what came is no RESP2 or beyond a bound; error() says why. Replies that
    // were whole before it are still given by next().
    bool feed(std::string_view bytes);
    // The next whole reply, in the order of their coming.
    std::optional<Reply> next();
    const std::string& error() const noexcept;  // empty: none

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rotary::fleet
