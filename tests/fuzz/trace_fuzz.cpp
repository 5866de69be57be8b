#include <rotary/wire/trace_context.hpp>

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

// libFuzzer entry for what a client's traceparent says: what is taken is written again the same.
namespace {

using namespace rotary::wire;

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<char> bytes(data, data + size);  // of exactly that size
    const std::string_view text(bytes.data(), bytes.size());
    const auto parent = parse_traceparent(text);
    if (!parent) return 0;
    require(parent->trace.is_valid() && parent->span != 0);
    TraceParentText buffer{};
    const std::string_view written = write_traceparent(*parent, buffer);
    // Behind the version, and without the flags that are not known.
    constexpr std::size_t kVersion = 2;
    constexpr std::size_t kFlags = 52;
    require(written.substr(kVersion, kFlags - kVersion) ==
            text.substr(kVersion, kFlags - kVersion));
    require(parse_traceparent(written) == parent);
    return 0;
}
