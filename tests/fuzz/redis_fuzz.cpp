// Replies of a Redis: whatever comes, it is read alike however it is cut, and within its bounds.
#include "fleet/redis_protocol.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace rotary::fleet {
namespace {

void show(const Reply& reply, std::string& text) {
    text += std::to_string(static_cast<int>(reply.kind)) + ":" + std::to_string(reply.integer) +
            ":" + reply.text + "[";
    for (const Reply& element : reply.elements) show(element, text);
    text += "]";
}

// All replies as one text, and whether there is more to come.
std::string read(std::string_view bytes, std::size_t part) {
    ReplyReader reader;
    std::string text;
    while (!bytes.empty()) {
        const std::string_view piece = bytes.substr(0, part);
        bytes.remove_prefix(piece.size());
        const bool goes_on = reader.feed(piece);
        while (const std::optional<Reply> reply = reader.next()) show(*reply, text);
        if (goes_on != reader.error().empty()) std::abort();
        if (!goes_on) return text + "ended";
    }
    return text;
}

}  // namespace
}  // namespace rotary::fleet

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const std::string whole = rotary::fleet::read(bytes, size);
    if (rotary::fleet::read(bytes, 1) != whole || rotary::fleet::read(bytes, 7) != whole) {
        std::abort();
    }
    return 0;
}
