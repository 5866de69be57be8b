#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rotary::bench {

// One HTTP/1.1 request or answer, read piece by piece: its framing, and what is counted of it.
// Meant for peers that are well-behaved; what it can't read is `broken`.
class Message {
public:
    // Takes what belongs to this message and returns how many bytes that was.
    std::size_t take(std::string_view bytes);
    // The peer has closed: the end of an answer without a length, a break of any other.
    void close();

    bool begun() const { return state_ != State::head || !head_.empty(); }
    bool done() const { return state_ == State::done; }
    bool broken() const { return state_ == State::broken; }
    bool keeps_alive() const { return keeps_alive_; }
    int status() const { return status_; }  // of an answer
    bool is_post() const { return head_.starts_with("POST"); }
    std::size_t body_bytes() const { return body_bytes_; }  // without the framing of chunks
    std::size_t events() const { return events_; }          // empty lines in the body

private:
    enum class State {
        head,
        sized,
        chunk_size,
        chunk,
        chunk_end,
        trailer,
        until_close,
        done,
        broken
    };

    std::size_t take_head(std::string_view bytes);
    std::size_t take_line(std::string_view bytes);
    std::size_t take_body(std::string_view bytes);
    void read_head();
    void end_line();

    State state_ = State::head;
    bool keeps_alive_ = true;
    int status_ = 0;
    std::size_t left_ = 0;  // of the body or the chunk
    std::size_t body_bytes_ = 0;
    std::size_t events_ = 0;
    char last_ = 0;  // of the body
    std::string head_;
    std::string line_;
};

}  // namespace rotary::bench
