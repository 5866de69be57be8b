#include <rotary/config/load.hpp>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

// libFuzzer entry for rotary.yaml with its short form, from YAML to the checked resources that it
// stands for: every finding is told in words of the short form, and a text is loaded alike each
// time.
namespace {

using namespace rotary::config;

void require(bool holds) {
    if (!holds) std::abort();
}

std::optional<std::string> no_variable(std::string_view) { return std::nullopt; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t kLongest = 4096;
    const std::string text(reinterpret_cast<const char*>(data), size);
    // The files that it names would be read, devices too.
    if (size > kLongest || text.find("file") != text.npos) return 0;
    std::string whole = "listeners: [{port: 1, plaintext: true}]\n";
    whole += "providers: {p: {url: \"https://h.test\", key: none}}\napis:\n";
    whole += text;
    const Loaded loaded = load_text({"rotary.yaml", whole}, {}, no_variable);
    for (const Finding& finding : loaded.findings) {
        require(finding.file == "rotary.yaml" && !finding.message.empty());
        require(finding.line >= 0 && finding.column >= 0);
        require(!finding.path.starts_with("spec") && !finding.path.starts_with("metadata"));
    }
    const Loaded again = load_text({"rotary.yaml", whole}, {}, no_variable);
    require(again.ok() == loaded.ok() && again.fingerprint == loaded.fingerprint);
    require(again.findings.size() == loaded.findings.size());
    return 0;
}
