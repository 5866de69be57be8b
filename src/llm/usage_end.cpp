#include <rotary/base/byte_pair.hpp>
#include <rotary/llm/usage_reader.hpp>

// Of an answer that is there whole, the parts that tell something.
namespace rotary::llm {

bool UsageReader::read_end(std::string_view json) noexcept {
    constexpr std::string_view kName = "\"usage";
    constexpr std::string_view kList = "\"data\"";  // of images, which are counted one by one
    constexpr std::size_t kBeginning = 128;
    constexpr int kMostSpaces = 64;
    for (int spaces = 0; !json.empty() && json.back() != '}'; ++spaces) {
        const char c = json.back();
        if (spaces == kMostSpaces || (c != '\n' && c != ' ' && c != '\r' && c != '\t'))
            return false;
        json.remove_suffix(1);
    }
    if ((root_paths_ & kCountPaths) != 0 || json.empty()) return false;
    const std::string_view beginning = json.substr(0, kBeginning);
    for (std::size_t at = 0;;) {
        at = text::find_pair(beginning, kList[0], kList[1], at);
        if (at == json.npos) break;
        if (beginning.substr(at++).starts_with(kList)) return false;
    }
    json.remove_suffix(1);
    std::string_view before = json;
    std::size_t at = before.size();
    do {
        at = text::rfind_pair(before.substr(0, at), kName[0], kName[1]);
        if (at == json.npos || at == 0) return false;
    } while (!json.substr(at).starts_with(kName));
    if (json[at - 1] == '\\') return false;
    if (root_paths_ != 0) read_beginning(json);
    open(false);
    feed(json.substr(at));
    // The answer's last brace closes the object that `usage` is a member of: the answer itself.
    const bool is_at_top = level_ == 1 && skipped_ == 0 && !in_string_;
    if (is_at_top) {
        end_value();
        close();
        if (counts_.any() && has_all()) return true;
    }
    begin(places_, root_paths_ != 0);
    return false;
}

// As far as the model's name, which stands near the beginning where it does not stand at the end.
void UsageReader::read_beginning(std::string_view json) noexcept {
    constexpr std::size_t kAtOnce = 128;
    constexpr std::size_t kMost = 1024;
    json = json.substr(0, kMost);
    while (model_size_ == 0 && !json.empty()) {
        const std::string_view next = json.substr(0, kAtOnce);
        feed(next);
        json.remove_prefix(next.size());
    }
    counts_.clear();
    invalid_ = 0;
    begin_text();
}

// Whether what else is to be known than counts was told.
bool UsageReader::has_all() const noexcept {
    if (root_paths_ != 0 && model_size_ == 0) return false;
    return has_service_ || places_ == nullptr || !places_->needs_service;
}

}  // namespace rotary::llm
