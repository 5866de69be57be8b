#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rotary::wire {

// Follows a text/event-stream (WHATWG HTML, "Server-sent events") as it passes, without holding it
// up: knows whether the stream stands at an event boundary and whether [DONE] came, and keeps the
// last `data:` payload, or the end of an overlong one, with a "usage" other than null, to settle.
// Owned by the relay of the stream, used on that thread. Once its strings have grown it allocates
// nothing; the same memory serves the next stream after begin().
class SseScanner {
public:
    // A complete event with data.
    struct Event {
        std::string_view data;    // empty when overlong
        bool has_usage = false;   // its data is usage_payload()
        std::uint64_t begin = 0;  // where it stands in the stream, with the comments before it,
        std::uint64_t end = 0;    // and its empty line; without the LF of a CR that came alone
    };
    class Listener {
    public:
        virtual void on_event(const Event& event) = 0;

    protected:
        ~Listener() = default;
    };

    // `line_bytes`: lines and events with more data than this are followed but not kept.
    explicit SseScanner(std::size_t line_bytes = 65536) noexcept : line_bytes_(line_bytes) {}

    void begin() noexcept;  // forget everything, the listener too, keep the memory
    void begin(std::size_t line_bytes) noexcept {
        line_bytes_ = line_bytes;
        begin();
    }
    // The same, and gives back each string that has grown beyond `kept_bytes`.
    void release(std::size_t kept_bytes) noexcept;
    void feed(std::string_view payload);
    void listen(Listener* listener) noexcept { listener_ = listener; }  // null: to none

    // True at the start and right after an empty line, where another event may be put in.
    bool at_boundary() const noexcept { return at_boundary_; }
    // Where the last boundary lies in the piece that was fed last; npos when there is none in it.
    std::size_t boundary() const noexcept { return boundary_; }
    static constexpr std::size_t npos = static_cast<std::size_t>(-1);

    bool done() const noexcept { return done_; }  // data: [DONE] was seen
    // The data of the first event that has any; whole once events() is not 0. Empty when overlong.
    std::string_view first_payload() const noexcept { return first_; }
    // An event named error, or one whose object begins with an "error" other than null: providers
    // end streams so.
    bool saw_error() const noexcept { return saw_error_; }
    std::uint64_t events() const noexcept { return events_; }           // with data, complete
    std::string_view usage_payload() const noexcept { return usage_; }  // JSON of that event, or ""

private:
    void end_line(std::string_view line);
    void end_event();
    void take_data(std::string_view data);
    void keep_usage();
    void note_event();

    std::size_t line_bytes_;
    Listener* listener_ = nullptr;
    std::uint64_t fed_ = 0;          // bytes before the piece at hand
    std::uint64_t line_end_ = 0;     // in the stream, of the line at hand
    std::uint64_t event_begin_ = 0;  // in the stream
    std::string line_;               // a line that began in an earlier piece, up to line_bytes_
    std::string data_;  // of the current event, its lines joined by LF, up to line_bytes_
    std::string usage_;
    std::string first_;
    std::size_t boundary_ = npos;
    std::uint64_t events_ = 0;
    std::uint32_t data_lines_ = 0;  // of the current event
    bool at_boundary_ = true;
    bool done_ = false;
    bool overlong_line_ = false;
    bool overlong_data_ = false;
    bool last_was_cr_ = false;
    bool has_usage_ = false;       // the current event
    bool is_error_event_ = false;  // the current one, by its name
    bool saw_error_ = false;
};

}  // namespace rotary::wire
