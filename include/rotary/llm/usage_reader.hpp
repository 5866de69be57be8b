#pragma once

#include <rotary/llm/usage_counts.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::llm {

enum class UsageNode : std::uint8_t;
struct UsageRow;

// Where an AIProvider's rateLimitFields say that counts stand: the members that lead to each,
// outermost first, or the name of a header; neither: where its vendor's format has it.
struct UsagePlaces {
    static constexpr std::size_t kPlaces = 3;  // prompt, completion, total
    std::array<std::vector<std::string>, kPlaces> members;
    std::array<std::string, kPlaces> headers;
    // The same of responseModel, the name of the model that answered.
    std::vector<std::string> model_members;
    std::string model_header;
    bool needs_service = false;  // some price depends on it
};

// Reads counts out of JSON that passes, in pieces cut anywhere: one answer, a line for each part of
// it, or the data of one event after another. The vendor's format is told by the members there are.
// Only a few levels are looked at; whatever else a text holds is skipped, strings at the speed of
// memchr, and broken text reads as what could be made of it. Neither copies nor allocates.
class UsageReader {
public:
    // `places` must outlive the reading; null: none. The model is read only where that is said.
    void begin(const UsagePlaces* places = nullptr, bool reads_model = false) noexcept;
    // One more text begins: what was told before stays until it is told anew.
    void begin_text() noexcept;
    void feed(std::string_view json) noexcept;
    // After begin(), of an answer that is there whole: reads what stands behind its last `usage`
    // alone, which most answers end with, and of its beginning as much as the model's name takes.
    // False, and nothing read, where that may not be all there is to it: feed() it.
    bool read_end(std::string_view json) noexcept;

    // What was told elsewhere, such as in a header.
    void tell(Count count, std::uint64_t value) noexcept { counts_.set(count, value); }

    const UsageCounts& counts() const noexcept { return counts_; }
    // Counts that could be none: negative, fractional or too large. They were left out.
    std::uint64_t invalid() const noexcept { return invalid_; }
    // As the answer names the model; empty: it does not, or is not to be asked. And how it says
    // that it was served.
    std::string_view model() const noexcept { return {model_.data(), model_size_}; }
    Service service() const noexcept { return service_; }
    // The last text holds no choice, and an object `usage`: the event that OpenAI's
    // stream_options.include_usage asks for.
    bool is_usage_alone() const noexcept { return has_no_choice_ && has_usage_; }

private:
    static constexpr std::size_t kLevels = 8;
    static constexpr std::size_t kNameBytes = 40;  // no name that means something is longer
    static constexpr std::size_t kTextBytes = kMostModelBytes;
    static constexpr std::uint8_t kModelPath = 1U << UsagePlaces::kPlaces;
    static constexpr std::uint8_t kCountPaths = kModelPath - 1;

    struct Frame {
        UsageNode node{};
        bool is_list = false;
        bool is_enveloped = false;  // the model's path begins anew at an object around this one
        std::uint8_t paths = 0;     // which of the named paths lead through here
    };
    // What the list's object at hand has told so far.
    struct Item {
        std::uint64_t count = 0;
        bool has_count = false;
        bool is_long = false;  // kept in the cache for an hour
        bool is_audio = false;
        bool is_image = false;
    };
    struct Number {
        std::uint64_t value = 0;    // in thousandths once there was a point
        std::uint8_t fraction = 0;  // digits behind the point that count
        bool has_digits = false;
        bool has_point = false;
        bool is_invalid = false;
    };

    const char* string(const char* at, const char* end) noexcept;
    const char* skip(const char* at, const char* end) noexcept;
    const char* walk(const char* at, const char* end) noexcept;
    const char* digits(const char* at, const char* end) noexcept;
    void open(bool is_list) noexcept;
    void close() noexcept;
    void end_string() noexcept;
    void keep_text(std::string_view text) noexcept;
    void read_beginning(std::string_view json) noexcept;
    bool has_all() const noexcept;
    void end_value() noexcept;
    void end_item(UsageNode node) noexcept;
    void name_member(std::string_view name) noexcept;
    void keep(Count count) noexcept;

    const UsagePlaces* places_ = nullptr;
    UsageCounts counts_;
    std::uint64_t invalid_ = 0;
    std::array<Frame, kLevels> frames_{};
    std::size_t level_ = 0;
    std::size_t skipped_ = 0;        // levels of what is not looked at
    const UsageRow* row_ = nullptr;  // of the member whose value is awaited
    std::uint8_t root_paths_ = 0;    // paths that there are
    std::uint8_t path_bits_ = 0;     // paths that lead through the member
    std::uint8_t path_ends_ = 0;     // paths that end in it
    Number number_;
    Item item_;
    std::array<char, kTextBytes> text_;  // the first text_size_ of them are set
    std::size_t text_size_ = 0;
    bool in_string_ = false;
    bool keeps_text_ = false;
    bool is_escaped_ = false;  // the next byte of the string means itself
    bool awaits_name_ = false;
    bool has_no_choice_ = false;
    bool has_usage_ = false;
    bool has_service_ = false;
    Service service_ = Service::standard;
    std::size_t model_size_ = 0;
    std::array<char, kMostModelBytes> model_;  // the first model_size_ of them are set
};

// Reads a stream's counts from two of its events: the first one, in which Anthropic tells the
// input, and the last one that has any.
void read_events(UsageReader& reader, std::string_view first, std::string_view last) noexcept;

}  // namespace rotary::llm
