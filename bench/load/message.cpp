#include "load/message.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace rotary::bench {
namespace {

constexpr std::size_t kLongestHead = 65536;

template <typename Number>
bool read_number(std::string_view text, Number& number, int base = 10) {
    return std::from_chars(text.data(), text.data() + text.size(), number, base).ec == std::errc();
}

}  // namespace

std::size_t Message::take(std::string_view bytes) {
    std::size_t taken = 0;
    while (taken < bytes.size() && !done() && !broken()) {
        const std::string_view rest = bytes.substr(taken);
        if (state_ == State::head) {
            taken += take_head(rest);
        } else if (state_ == State::sized || state_ == State::chunk ||
                   state_ == State::until_close) {
            taken += take_body(rest);
        } else {
            taken += take_line(rest);
        }
    }
    return taken;
}

void Message::close() {
    if (!done()) {
        state_ = state_ == State::until_close ? State::done : State::broken;
    }
}

std::size_t Message::take_head(std::string_view bytes) {
    const std::size_t before = head_.size();
    head_.append(bytes);
    const std::size_t end = head_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
    if (end == std::string::npos) {
        if (head_.size() > kLongestHead) {
            state_ = State::broken;
        }
        return bytes.size();
    }
    head_.resize(end + 4);
    read_head();
    if (status_ == 100) {
        head_.clear();
        state_ = State::head;
    }
    return end + 4 - before;
}

void Message::read_head() {
    std::transform(head_.begin() + 4, head_.end(), head_.begin() + 4,
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    const std::string_view head = head_;
    const auto value_of = [&](std::string_view name) -> std::string_view {
        const std::size_t at = head.find(name);
        return at == head.npos ? std::string_view() : head.substr(at + name.size());
    };
    const bool answer = head.starts_with("HTTP");
    if (answer && (head.size() < 12 || !read_number(head.substr(9, 3), status_))) {
        state_ = State::broken;
        return;
    }
    keeps_alive_ = !value_of("\r\nconnection: ").starts_with("close");
    const std::string_view length = value_of("\r\ncontent-length: ");
    if (value_of("\r\ntransfer-encoding: ").starts_with("chunked")) {
        state_ = State::chunk_size;
    } else if (!length.empty()) {
        state_ = read_number(length, left_) ? State::sized : State::broken;
    } else {
        state_ = answer ? State::until_close : State::sized;
    }
    if (state_ == State::sized && left_ == 0) {
        state_ = State::done;
    }
}

std::size_t Message::take_body(std::string_view bytes) {
    const bool bounded = state_ != State::until_close;
    const std::size_t count = bounded ? std::min(left_, bytes.size()) : bytes.size();
    for (std::size_t at = bytes.find('\n'); at < count; at = bytes.find('\n', at + 1)) {
        if ((at == 0 ? last_ : bytes[at - 1]) == '\n') {
            ++events_;
        }
    }
    last_ = bytes[count - 1];
    body_bytes_ += count;
    if (bounded) {
        left_ -= count;
        if (left_ == 0) {
            state_ = state_ == State::sized ? State::done : State::chunk_end;
        }
    }
    return count;
}

std::size_t Message::take_line(std::string_view bytes) {
    const std::size_t end = bytes.find('\n');
    const std::size_t count = end == bytes.npos ? bytes.size() : end + 1;
    line_.append(bytes.substr(0, count));
    if (line_.size() > kLongestHead) {
        state_ = State::broken;
    } else if (end != bytes.npos) {
        end_line();
        line_.clear();
    }
    return count;
}

void Message::end_line() {
    if (state_ == State::chunk_end) {
        state_ = line_ == "\r\n" ? State::chunk_size : State::broken;
    } else if (state_ == State::trailer) {
        state_ = line_ == "\r\n" ? State::done : State::trailer;
    } else if (!read_number(std::string_view(line_), left_, 16)) {
        state_ = State::broken;
    } else {
        state_ = left_ == 0 ? State::trailer : State::chunk;
    }
}

}  // namespace rotary::bench
