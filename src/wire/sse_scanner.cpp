#include <rotary/wire/sse_scanner.hpp>

#include <rotary/base/byte_pair.hpp>
#include <rotary/wire/http1_scan.hpp>

#include <algorithm>

namespace rotary::wire {
namespace {

constexpr std::string_view kData = "data";
constexpr std::string_view kDone = "[DONE]";
constexpr std::string_view kUsage = "\"usage";  // and a quote, or Gemini's ending and one
constexpr std::string_view kMetadata = "Metadata";
constexpr std::string_view kError = "\"error\"";
constexpr std::size_t kBeginning = kData.size() + 1;  // what of a line tells its field
constexpr std::size_t kMostEnd = 16384;

std::string_view skip_json_space(std::string_view text) noexcept {
    std::size_t at = 0;
    while (at < text.size() &&
           (text[at] == ' ' || text[at] == '\t' || text[at] == '\r' || text[at] == '\n')) {
        ++at;
    }
    return text.substr(at);
}

// Where the text says "usage with its first quote, or npos.
std::size_t find_usage(std::string_view json) noexcept {
    for (std::size_t at = 0;; ++at) {
        at = text::find_pair(json, kUsage[0], kUsage[1], at);
        if (at == json.npos || json.substr(at).starts_with(kUsage)) return at;
    }
}

// Whether some member named usage or usageMetadata holds more than null. A look at the text, not a
// parse: it only decides which payload is worth keeping. Quotes inside a JSON string are escaped,
// so what stands between bare ones is a key or a whole string; a colon tells the two apart.
bool holds_usage(std::string_view json) noexcept {
    while (true) {
        const std::size_t at = find_usage(json);
        if (at == json.npos) return false;
        json.remove_prefix(at + kUsage.size());
        if (json.starts_with(kMetadata)) json.remove_prefix(kMetadata.size());
        if (!json.starts_with('"')) continue;
        json.remove_prefix(1);
        const std::string_view colon = skip_json_space(json);
        if (!colon.starts_with(':')) continue;
        if (!skip_json_space(colon.substr(1)).starts_with("null")) return true;
    }
}

// The last member named usage or usageMetadata that holds an object, to the end of the text; empty:
// there is none. The text may be the end of a longer one.
std::string_view usage_at_end(std::string_view json) noexcept {
    for (std::size_t size = json.size();;) {
        size = text::rfind_pair(json.substr(0, size), kUsage[0], kUsage[1]);
        if (size == json.npos) return {};
        std::string_view rest = json.substr(size);
        if (!rest.starts_with(kUsage)) continue;
        rest.remove_prefix(kUsage.size());
        if (rest.starts_with(kMetadata)) rest.remove_prefix(kMetadata.size());
        if (!rest.starts_with('"')) continue;
        rest = skip_json_space(rest.substr(1));
        if (!rest.starts_with(':')) continue;
        if (skip_json_space(rest.substr(1)).starts_with('{')) return json.substr(size);
    }
}

// How much of the end of a line is kept that is longer than `most`.
constexpr std::size_t end_size(std::size_t most) noexcept {
    return most <= kBeginning ? 0 : std::min(kMostEnd, (most - kBeginning) / 2);
}

// Adds to a line of at most so many bytes: of one that is longer its beginning stays, and its end.
void add_to_line(std::string& line, std::string_view run, std::size_t most) {
    if (line.size() + run.size() <= most) {
        line.append(run);
        return;
    }
    const std::size_t missing = kBeginning - std::min(kBeginning, line.size());
    line.append(run.substr(0, missing));
    run.remove_prefix(std::min(missing, run.size()));
    const std::size_t end = end_size(most);
    const std::size_t kept = run.size() >= end ? 0 : end;  // of what the line has
    if (line.size() > kBeginning + kept) {
        line.erase(kBeginning, line.size() - kBeginning - kept);
    }
    line.append(run.substr(run.size() - std::min(run.size(), end)));
}

// Whether an object's text begins with a member named error that holds something.
bool begins_with_error(std::string_view json) noexcept {
    json = skip_json_space(json);
    if (!json.starts_with('{')) return false;
    json = skip_json_space(json.substr(1));
    if (!json.starts_with(kError)) return false;
    json = skip_json_space(json.substr(kError.size()));
    if (!json.starts_with(':')) return false;
    return !skip_json_space(json.substr(1)).starts_with("null");
}

}  // namespace

void SseScanner::begin() noexcept {
    line_.clear();
    data_.clear();
    usage_.clear();
    first_.clear();
    boundary_ = npos;
    listener_ = nullptr;
    fed_ = line_end_ = event_begin_ = 0;
    has_usage_ = false;
    events_ = 0;
    data_lines_ = 0;
    at_boundary_ = true;
    done_ = overlong_line_ = overlong_data_ = last_was_cr_ = false;
    is_error_event_ = saw_error_ = false;
}

void SseScanner::release(std::size_t kept_bytes) noexcept {
    begin();
    for (std::string* text : {&line_, &data_, &usage_, &first_}) {
        // Not assigned: a short string is copied into the memory that is there.
        if (text->capacity() > kept_bytes) std::string().swap(*text);
    }
}

void SseScanner::feed(std::string_view payload) {
    const char* at = payload.data();
    const char* const end = at + payload.size();
    boundary_ = npos;
    const auto note_boundary = [&] {
        if (!at_boundary_) return;
        boundary_ = static_cast<std::size_t>(at - payload.data());
        event_begin_ = fed_ + boundary_;
    };
    while (at != end) {
        if (last_was_cr_) {
            last_was_cr_ = false;
            if (*at == '\n') {
                ++at;
                note_boundary();
                continue;
            }
        }
        const char* const stop = http1::find_line_break(at, end);
        const std::string_view run{at, static_cast<std::size_t>(stop - at)};
        const bool whole = stop != end;
        line_end_ = fed_ + static_cast<std::size_t>(stop - payload.data()) + 1;
        if (line_.size() + run.size() > line_bytes_) overlong_line_ = true;
        if (whole && line_.empty()) {
            end_line(run);
        } else {
            add_to_line(line_, run, line_bytes_);
            if (!whole) {
                at_boundary_ = false;
                fed_ += payload.size();
                return;
            }
            end_line(line_);
        }
        last_was_cr_ = *stop == '\r';
        at = stop + 1;
        note_boundary();
    }
    fed_ += payload.size();
}

// `line` is complete, without its ending. Of one that was too long only the first bytes are sure to
// be there, enough to know the field, and the last ones: some events hold a whole answer, and end
// with what it used.
void SseScanner::end_line(std::string_view line) {
    const bool overlong = overlong_line_;
    overlong_line_ = false;
    if (line.empty() && !overlong) {
        end_event();
        return;
    }
    at_boundary_ = false;
    const bool is_data =
        line.starts_with(kData) && (line.size() == kData.size() || line[kData.size()] == ':');
    if (is_data) {
        if (overlong) {
            overlong_data_ = true;
            const std::size_t end = std::min(line.size() - kData.size(), end_size(line_bytes_));
            const std::string_view usage = usage_at_end(line.substr(line.size() - end));
            if (!usage.empty()) usage_.assign("{").append(usage);
        }
        line.remove_prefix(std::min(line.size(), kData.size() + 1));
        if (line.starts_with(' ')) line.remove_prefix(1);
        take_data(line);
    } else if (!overlong && (line == "event: error" || line == "event:error")) {
        is_error_event_ = true;
    }
    line_.clear();
}

void SseScanner::take_data(std::string_view data) {
    ++data_lines_;
    if (overlong_data_ || data_.size() + data.size() + 1 > line_bytes_) {
        overlong_data_ = true;
        return;
    }
    if (data_lines_ > 1) data_.push_back('\n');
    data_.append(data);
    // A stream cut right after its last line still tells its usage.
    if (data_lines_ == 1 && holds_usage(data_)) keep_usage();
}

void SseScanner::keep_usage() {
    usage_.assign(data_);
    has_usage_ = true;
}

void SseScanner::note_event() {
    if (events_++ == 0 && !overlong_data_) first_.assign(data_);
    // Not before its empty line: a client drops an event that ends without one.
    if (!overlong_data_ && data_lines_ == 1 && text::trim(data_) == kDone) done_ = true;
    saw_error_ = saw_error_ || is_error_event_ || begins_with_error(data_);
}

void SseScanner::end_event() {
    if (data_lines_ > 0) note_event();
    is_error_event_ = false;
    if (data_lines_ > 1 && !overlong_data_ && holds_usage(data_)) keep_usage();
    if (listener_ != nullptr && data_lines_ > 0) {
        const std::string_view data = overlong_data_ ? std::string_view{} : data_;
        listener_->on_event({data, has_usage_, event_begin_, line_end_});
    }
    has_usage_ = false;
    data_.clear();
    data_lines_ = 0;
    overlong_data_ = false;
    at_boundary_ = true;
}

}  // namespace rotary::wire
