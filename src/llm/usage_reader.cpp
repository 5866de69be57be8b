#include <rotary/llm/usage_reader.hpp>

#include "llm/usage_rows.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace rotary::llm {

namespace {

using Node = UsageNode;
using Is = UsageRow::Is;

// How many backslashes the text ends with is odd.
bool ends_escaping(const char* begin, const char* end) noexcept {
    const char* at = end;
    while (at != begin && at[-1] == '\\') --at;
    return (end - at) % 2 != 0;
}

constexpr bool is_structure(char c) noexcept {
    return c == '"' || c == '{' || c == '[' || c == '}' || c == ']';
}

// The next quote or bracket, or `end`; sixteen bytes at a time.
const char* find_structure(const char* at, const char* end) noexcept {
#ifdef __SSE2__
    // With this bit set the two brackets of a kind are one.
    const __m128i fold = _mm_set1_epi8(0x20);
    for (; end - at >= 16; at += 16) {
        const __m128i bytes =
            _mm_or_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)), fold);
        const __m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
        const __m128i opens = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('{'));
        const __m128i closes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('}'));
        const __m128i found = _mm_or_si128(quotes, _mm_or_si128(opens, closes));
        for (auto mask = static_cast<unsigned>(_mm_movemask_epi8(found)); mask != 0;
             mask &= mask - 1) {
            const char* const place = at + std::countr_zero(mask);
            if (is_structure(*place)) return place;
        }
    }
#endif
    while (at != end && !is_structure(*at)) ++at;
    return at;
}

// Where a name that begins with a quote stands last.
std::size_t last_of(std::string_view text, std::string_view name) noexcept {
    for (std::size_t size = text.size(); size > 0;) {
        const void* const quote = ::memrchr(text.data(), name.front(), size);
        if (quote == nullptr) break;
        size = static_cast<std::size_t>(static_cast<const char*>(quote) - text.data());
        if (text.substr(size).starts_with(name)) return size;
    }
    return std::string_view::npos;
}

constexpr std::uint8_t bit(std::size_t place) noexcept {
    return static_cast<std::uint8_t>(1U << place);
}

}  // namespace

void UsageReader::begin_text() noexcept {
    level_ = skipped_ = 0;
    row_ = nullptr;
    path_bits_ = path_ends_ = 0;
    number_ = {};
    in_string_ = is_escaped_ = awaits_name_ = has_no_choice_ = has_usage_ = false;
}

void UsageReader::feed(std::string_view json) noexcept {
    if (json.empty()) return;
    const char* at = json.data();
    const char* const end = at + json.size();
    while (at != end) {
        if (in_string_) {
            at = string(at, end);
        } else if (level_ == 0) {
            at = static_cast<const char*>(std::memchr(at, '{', static_cast<std::size_t>(end - at)));
            if (at == nullptr) return;
            ++at;
            has_no_choice_ = has_usage_ = false;
            open(false);
        } else if (skipped_ > 0) {
            at = skip(at, end);
        } else {
            at = walk(at, end);
        }
    }
}

bool UsageReader::read_end(std::string_view json) noexcept {
    constexpr std::string_view kName = "\"usage";
    constexpr std::string_view kList = "\"data\"";  // of images, which are counted one by one
    constexpr std::size_t kBeginning = 128;
    const std::size_t last = json.find_last_not_of(" \t\r\n");
    const bool is_plain = places_ == nullptr || places_->empty();
    if (!is_plain || last == json.npos || json[last] != '}') return false;
    if (json.substr(0, kBeginning).find(kList) != json.npos) return false;
    const std::size_t at = last_of(json.substr(0, last), kName);
    if (at == json.npos || at == 0 || json[at - 1] == '\\') return false;
    feed("{");
    feed(json.substr(at, last - at));
    // The answer's last brace closes the object that `usage` is a member of: the answer itself.
    const bool is_at_top = level_ == 1 && skipped_ == 0 && !in_string_;
    feed("}");
    if (is_at_top && counts_.any()) return true;
    begin(places_);
    return false;
}

// Goes on in a string, to behind its closing quote.
const char* UsageReader::string(const char* at, const char* end) noexcept {
    const char* const begin = at;
    if (is_escaped_) {
        is_escaped_ = false;
        text_size_ = kTextBytes + 1;  // no name that is looked for has escapes
        if (++at == end) return end;
    }
    const char* const from = at;
    for (;;) {
        const auto* const quote =
            static_cast<const char*>(std::memchr(at, '"', static_cast<std::size_t>(end - at)));
        const char* const stop = quote == nullptr ? end : quote;
        const bool is_escaping = ends_escaping(from, stop);
        if (quote != nullptr && is_escaping) {
            at = quote + 1;
            text_size_ = kTextBytes + 1;
            if (at != end) continue;
            return end;
        }
        if (keeps_text_) {
            const auto size = static_cast<std::size_t>(stop - begin);
            if (text_size_ + size <= kTextBytes)
                std::memcpy(text_.data() + text_size_, begin, size);
            text_size_ = std::min(text_size_ + size, kTextBytes + 1);
        }
        if (quote == nullptr) {
            is_escaped_ = is_escaping;
            return end;
        }
        in_string_ = false;
        end_string();
        return quote + 1;
    }
}

// Through what is not looked at: only its levels and its strings count.
const char* UsageReader::skip(const char* at, const char* end) noexcept {
    keeps_text_ = false;
    for (;;) {
        at = find_structure(at, end);
        if (at == end) return end;
        const char c = *at++;
        if (c == '"') {
            in_string_ = true;
            at = string(at, end);
        } else if (c == '{' || c == '[') {
            ++skipped_;
        } else if (--skipped_ == 0) {
            return at;
        }
    }
}

// Through an object or list that is looked at, up to where another one begins or the last one ends.
const char* UsageReader::walk(const char* at, const char* end) noexcept {
    while (at != end) {
        const char c = *at++;
        switch (c) {
            case '"':
                in_string_ = true;
                keeps_text_ = awaits_name_ || (row_ != nullptr && row_->is == Is::item_label);
                text_size_ = 0;
                at = string(at, end);
                break;
            case ':':
            case ' ':
                break;
            case ',':
                end_value();
                awaits_name_ = !frames_[level_ - 1].is_list;
                break;
            case '{':
            case '[':
                open(c == '[');
                if (skipped_ > 0) return at;
                break;
            case '}':
            case ']':
                end_value();
                close();
                if (level_ == 0) return at;
                break;
            default:
                digit(c);
                break;
        }
    }
    return at;
}

void UsageReader::digit(char c) noexcept {
    if (row_ == nullptr && path_ends_ == 0) return;
    if (c >= '0' && c <= '9') {
        number_.has_digits = true;
        if (number_.has_point && ++number_.fraction > 3) {
            number_.fraction = 3;
            return;
        }
        number_.value = number_.value * 10 + static_cast<std::uint64_t>(c - '0');
        if (number_.value > kMostTokens * 1000) number_.is_invalid = true, number_.value = 0;
    } else if (c == '.') {
        number_.has_point = true;
    } else if (c == '-' || c == 'e' || c == 'E' || c == '+') {
        // The e of true and false comes without a digit, and so counts for nothing.
        number_.is_invalid = true;
    }
}

void UsageReader::open(bool is_list) noexcept {
    Frame frame;
    frame.is_list = is_list;
    if (level_ == 0) {
        frame.node = Node::root;
        for (std::size_t i = 0; places_ != nullptr && i < UsagePlaces::kPlaces; ++i) {
            if (!places_->members[i].empty()) frame.paths |= bit(i);
        }
    } else if (frames_[level_ - 1].is_list) {
        frame.node = frames_[level_ - 1].node;
    } else {
        frame.paths = path_bits_;
        if (row_ != nullptr && row_->is == Is::object) frame.node = row_->node;
        if (frame.node == Node::none && frame.paths != 0) frame.node = Node::named;
    }
    if (frame.node == Node::choices) {
        has_no_choice_ = is_list && !frames_[level_ - 1].is_list;
        if (!is_list) frame.node = Node::none;
    }
    if (frame.node == Node::usage && !is_list && level_ == 1) has_usage_ = true;
    if (frame.node == Node::none || level_ == kLevels) {
        skipped_ = 1;
    } else {
        if (is_list) {
            for (const Count sum : sums_of(frame.node)) counts_.erase(sum);
        } else {
            item_ = {};
        }
        frames_[level_++] = frame;
        awaits_name_ = !is_list;
    }
    row_ = nullptr;
    path_bits_ = path_ends_ = 0;
    number_ = {};
}

void UsageReader::close() noexcept {
    const Frame& frame = frames_[--level_];
    if (!frame.is_list) end_item(frame.node);
    awaits_name_ = false;
}

void UsageReader::end_string() noexcept {
    const std::string_view text =
        text_size_ <= kTextBytes ? std::string_view(text_.data(), text_size_) : std::string_view{};
    if (skipped_ > 0 || level_ == 0) return;
    if (awaits_name_) {
        awaits_name_ = false;
        name_member(text);
        return;
    }
    if (frames_[level_ - 1].node == Node::choices) has_no_choice_ = false;
    if (row_ == nullptr) return;
    if (row_->is == Is::item_image) item_.is_image = true;
    if (row_->is != Is::item_label) return;
    item_.is_long = text == "1h";
    item_.is_audio = text == "AUDIO";
    item_.is_image = text == "IMAGE";
}

void UsageReader::name_member(std::string_view name) noexcept {
    const Frame& frame = frames_[level_ - 1];
    row_ = nullptr;
    path_bits_ = path_ends_ = 0;
    number_ = {};
    for (const UsageRow& row : rows_of(frame.node)) {
        // Many names are as long as another; few end alike.
        if (row.name.size() != name.size() || row.name.back() != name.back()) continue;
        if (row.name == name) {
            row_ = &row;
            break;
        }
    }
    for (std::size_t i = 0; frame.paths != 0 && i < UsagePlaces::kPlaces; ++i) {
        if ((frame.paths & bit(i)) == 0) continue;
        const std::vector<std::string>& path = places_->members[i];
        if (path.size() < level_ || path[level_ - 1] != name) continue;
        (path.size() == level_ ? path_ends_ : path_bits_) |= bit(i);
    }
}

// What a number of the member at hand says, when there was one.
void UsageReader::end_value() noexcept {
    if (number_.has_digits) {
        if (row_ != nullptr && row_->is == Is::seconds && !number_.is_invalid) {
            for (; number_.fraction < 3; ++number_.fraction) number_.value *= 10;
            number_.has_point = false;
        }
        if (number_.has_point || number_.value > kMostTokens) number_.is_invalid = true;
        if (row_ != nullptr && row_->is == Is::item_count) {
            item_.has_count = !number_.is_invalid;
            item_.count = number_.value;
        } else if (row_ != nullptr && row_->count != Count::no_count) {
            keep(row_->count);
        }
        for (std::size_t i = 0; i < UsagePlaces::kPlaces; ++i) {
            if ((path_ends_ & bit(i)) != 0) keep(kNamedCounts[i]);
        }
        const bool is_ours = row_ != nullptr || path_ends_ != 0;
        if (number_.is_invalid && is_ours) ++invalid_;
    }
    row_ = nullptr;
    path_bits_ = path_ends_ = 0;
    number_ = {};
}

void UsageReader::keep(Count count) noexcept {
    if (!number_.is_invalid) counts_.set(count, number_.value);
}

// An object of a list ends.
void UsageReader::end_item(UsageNode node) noexcept {
    const bool is_listed = level_ > 0 && frames_[level_ - 1].is_list;
    if (!is_listed) return;
    const auto room = [this](Count count) { return kMostTokens - counts_.get(count); };
    const auto add = [&](Count count) {
        if (item_.has_count && item_.count <= room(count)) counts_.add(count, item_.count);
    };
    if (node == Node::cache_details && item_.is_long) add(Count::bedrock_cache_write_long);
    if (node == Node::prompt_parts && item_.is_audio) add(Count::audio_in);
    if (node == Node::prompt_parts && item_.is_image) add(Count::image_in);
    if (node == Node::candidate_parts && item_.is_audio) add(Count::audio_out);
    if (node == Node::data && item_.is_image) counts_.add(Count::images, 1);
    item_ = {};
}

void read_events(UsageReader& reader, std::string_view first, std::string_view last) noexcept {
    if (first != last) reader.feed(first);
    reader.begin_text();
    reader.feed(last);
}

}  // namespace rotary::llm
