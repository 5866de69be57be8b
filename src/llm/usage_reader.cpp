#include <rotary/llm/usage_reader.hpp>

#include "llm/json_bytes.hpp"
#include "llm/usage_rows.hpp"

#include <algorithm>
#include <cstring>

namespace rotary::llm {

namespace {

using Node = UsageNode;
using Is = UsageRow::Is;

constexpr std::uint8_t bit(std::size_t place) noexcept {
    return static_cast<std::uint8_t>(1U << place);
}

// The paths that a configuration names: of counts, and behind them the model's.
constexpr std::size_t kModel = UsagePlaces::kPlaces;
constexpr std::size_t kPaths = kModel + 1;

const std::vector<std::string>& path_of(const UsagePlaces& places, std::size_t path) noexcept {
    return path == kModel ? places.model_members : places.members[path];
}

// What vendors call it; any other name is that of the usual service.
Service service_of(std::string_view name) noexcept {
    if (name == "priority") return Service::priority;
    if (name == "flex") return Service::flex;
    return name == "batch" ? Service::batch : Service::standard;
}

}  // namespace

void UsageReader::begin(const UsagePlaces* places, bool reads_model) noexcept {
    places_ = places;
    counts_.clear();
    invalid_ = 0;
    item_ = {};
    model_size_ = 0;
    has_service_ = false;
    service_ = Service::standard;
    root_paths_ = 0;
    for (std::size_t i = 0; places_ != nullptr && i < UsagePlaces::kPlaces; ++i) {
        if (!places_->members[i].empty()) root_paths_ |= bit(i);
    }
    if (reads_model && places != nullptr && !places->model_members.empty()) {
        root_paths_ |= kModelPath;
    }
    begin_text();
}

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
                if (awaits_name_) {
                    const char* const quote = find_near_quote(at, end);
                    if (quote != nullptr && static_cast<std::size_t>(quote - at) <= kNameBytes) {
                        awaits_name_ = false;
                        name_member({at, static_cast<std::size_t>(quote - at)});
                        at = quote + 1;
                        break;
                    }
                }
                in_string_ = true;
                keeps_text_ =
                    awaits_name_ || (path_ends_ & kModelPath) != 0 ||
                    (row_ != nullptr && (row_->is == Is::item_label || row_->is == Is::service));
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
                if (row_ != nullptr || path_ends_ != 0) at = digits(at - 1, end);
                break;
        }
    }
    return at;
}

// A part of a number that counts, or of what stands there instead; to behind it.
const char* UsageReader::digits(const char* at, const char* end) noexcept {
    if (number_.value == 0 && !number_.has_point) {
        // So many digits are below any bound.
        const char* const begin = at;
        const char* const last = end - at > 15 ? at + 15 : end;
        std::uint64_t value = 0;
        for (; at != last && *at >= '0' && *at <= '9'; ++at) {
            value = value * 10 + static_cast<std::uint64_t>(*at - '0');
        }
        number_.value = value;
        number_.has_digits = number_.has_digits || at != begin;
    }
    for (; at != end; ++at) {
        const char c = *at;
        if (c >= '0' && c <= '9') {
            number_.has_digits = true;
            if (number_.has_point && ++number_.fraction > 3) {
                number_.fraction = 3;
                continue;
            }
            number_.value = number_.value * 10 + static_cast<std::uint64_t>(c - '0');
            if (number_.value > kMostTokens * 1000) number_.is_invalid = true, number_.value = 0;
        } else if (c == ',' || c == '}' || c == ']' || c == '"' || c == '{' || c == '[') {
            break;
        } else if (c == '.') {
            number_.has_point = true;
        } else if (c == '-' || c == 'e' || c == 'E' || c == '+') {
            // The e of true and false comes without a digit, and so counts for nothing.
            number_.is_invalid = true;
        }
    }
    return at;
}

void UsageReader::open(bool is_list) noexcept {
    Frame frame;
    frame.is_list = is_list;
    if (level_ == 0) {
        frame.node = Node::root;
        frame.paths = root_paths_;
    } else if (frames_[level_ - 1].is_list) {
        frame.node = frames_[level_ - 1].node;
    } else {
        frame.paths = path_bits_;
        if (row_ != nullptr && row_->is == Is::object) frame.node = row_->node;
        if ((root_paths_ & kModelPath) != 0) {
            frame.is_enveloped = frames_[level_ - 1].is_enveloped;
            if (frame.node == Node::envelope && (frame.paths & kModelPath) == 0) {
                frame.is_enveloped = true;
                frame.paths |= kModelPath;
            }
        }
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
    if ((path_ends_ & kModelPath) != 0) keep_text(text);
    if (row_ == nullptr) return;
    if (row_->is == Is::service) {
        service_ = service_of(text);
        has_service_ = true;
    }
    if (row_->is == Is::item_image) item_.is_image = true;
    if (row_->is != Is::item_label) return;
    item_.is_long = text == "1h";
    item_.is_audio = text == "AUDIO";
    item_.is_image = text == "IMAGE";
}

// The first event of some streams has an empty name; one with escapes is none that is known.
void UsageReader::keep_text(std::string_view text) noexcept {
    if (text.empty() || text.find('\\') != text.npos) return;
    std::memcpy(model_.data(), text.data(), text.size());
    model_size_ = text.size();
}

void UsageReader::name_member(std::string_view name) noexcept {
    const Frame& frame = frames_[level_ - 1];
    row_ = nullptr;
    path_bits_ = path_ends_ = 0;
    number_ = {};
    for (const UsageRow& row : rows_of(frame.node)) {
        if (row.name.size() == name.size() && is_same_name(row.name, name)) {
            row_ = &row;
            break;
        }
    }
    for (std::size_t i = 0; frame.paths != 0 && i < kPaths; ++i) {
        if ((frame.paths & bit(i)) == 0) continue;
        const std::vector<std::string>& path = path_of(*places_, i);
        const std::size_t depth = level_ - (i == kModel && frame.is_enveloped ? 1 : 0);
        if (path.size() < depth || path[depth - 1] != name) continue;
        (path.size() == depth ? path_ends_ : path_bits_) |= bit(i);
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
        for (std::size_t i = 0; path_ends_ != 0 && i < UsagePlaces::kPlaces; ++i) {
            if ((path_ends_ & bit(i)) != 0) keep(kNamedCounts[i]);
        }
        const bool is_ours = row_ != nullptr || (path_ends_ & kCountPaths) != 0;
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
