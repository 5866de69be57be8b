#include <support/provider_script.hpp>
#include <support/provider_socket.hpp>

#include <rotary/base/text.hpp>

#include <array>
#include <cstdio>
#include <utility>

namespace rotary::test {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kSlowByte{40};
constexpr std::string_view kComment = ": processing\n\n";

std::string head_of(const ProviderAnswer& answer) {
    std::string head = "HTTP/1.1 " + std::to_string(answer.status) +
                       " Status\r\ncontent-type: " + answer.type + "\r\n";
    for (const auto& [name, value] : answer.headers) head += name + ": " + value + "\r\n";
    if (answer.chunked) return head + "transfer-encoding: chunked\r\n\r\n";
    const std::size_t length = answer.announced > 0 ? answer.announced : answer.body.size();
    return head + "content-length: " + std::to_string(length) + "\r\n\r\n";
}

std::string chunk_size(std::size_t size) {
    std::array<char, 20> text;
    const int length = std::snprintf(text.data(), text.size(), "%zx\r\n", size);
    return std::string(text.data(), static_cast<std::size_t>(length));
}

std::vector<std::string> pieces_of(const ProviderAnswer& answer) {
    if (answer.chunk_bytes == 0) {
        return answer.is_stream() ? events_of(answer.body) : std::vector{answer.body};
    }
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < answer.body.size(); at += answer.chunk_bytes) {
        pieces.push_back(answer.body.substr(at, answer.chunk_bytes));
    }
    return pieces;
}

// One connection, from accept to its end.
class Conversation {
public:
    Conversation(ProviderBoard& board, const AcceptedConnection& accepted)
        : board_(board), id_(accepted.id), socket_(accepted.fd, accepted.stop_fd, accepted.tls) {
        const std::lock_guard lock(board_.mutex);
        plan_ = board_.plan;
    }

    void run() {
        if (go_on()) {
            while (serve()) {
            }
        }
        const std::lock_guard lock(board_.mutex);
        if (socket_.gone_at()) board_.closed[id_] = *socket_.gone_at();
        board_.open.erase(id_);
        board_.changed.notify_all();
    }

private:
    using Phase = ProviderPhase;

    bool meets(Phase phase) const {
        return plan_.fault != ProviderFault::none && plan_.phase == phase;
    }

    // Up to the first request. False: the fault has happened.
    bool go_on() {
        if (meets(Phase::accept)) return happen("\x01\x02 no handshake\r\n\r\n");
        if (!socket_.is_tls()) return true;
        if (meets(Phase::tls_handshake)) {
            if (plan_.fault == ProviderFault::tls_truncation) {
                socket_.begin_handshake();
            } else {
                socket_.wait_for_bytes();
            }
            return happen("HTTP/1.1 400 Bad Request\r\n\r\n");
        }
        return socket_.handshake();
    }

    // One request and its answer. False: the connection is at its end.
    bool serve() {
        if (!read_head()) return false;
        if (meets(Phase::request)) {
            record();
            return happen("\x01\x02 no answer\r\n\r\n");
        }
        if (!read_body()) return false;
        record();
        if (meets(Phase::before_head)) return happen("\x01\x02 no answer\r\n\r\n");
        const ProviderAnswer answer = plan_.answer              ? *plan_.answer
                                      : request_.wants_stream() ? stream_answer(recorded_stream())
                                                                : json_answer();
        return send(answer);
    }

    bool read_head() {
        std::size_t end = 0;
        while ((end = input_.find("\r\n\r\n")) == std::string::npos) {
            const std::string piece = socket_.read();
            if (piece.empty()) return false;
            input_ += piece;
        }
        request_ = {};
        request_.connection = id_;
        request_.received_at = Clock::now();
        request_.head = input_.substr(0, end + 4);
        input_.erase(0, end + 4);
        const std::lock_guard lock(board_.mutex);
        plan_ = board_.planner ? board_.planner(request_) : board_.plan;
        return true;
    }

    bool read_body() {
        const std::size_t length =
            text::parse_unsigned(request_.header("content-length")).value_or(0);
        while (input_.size() < length) {
            const std::string piece = socket_.read();
            if (piece.empty()) return false;
            input_ += piece;
        }
        request_.body = input_.substr(0, length);
        input_.erase(0, length);
        return true;
    }

    void record() {
        const std::lock_guard lock(board_.mutex);
        board_.requests.push_back(request_);
        board_.changed.notify_all();
    }

    bool send(const ProviderAnswer& answer) {
        gathers_ = answer.at_once && plan_.fault == ProviderFault::none;
        const bool goes_on = send_pieces(answer);
        gathers_ = false;
        return write(std::exchange(gathered_, {})) && goes_on;
    }

    bool send_pieces(const ProviderAnswer& answer) {
        const std::string head = head_of(answer);
        if (meets(Phase::in_head)) {
            if (plan_.fault == ProviderFault::slow_head) return dribble(head);
            write(std::string_view(head).substr(0, head.size() / 2));
            return happen("\r\n\x01 \x02\r\n\r\n");
        }
        if (!write(head)) return false;
        if (meets(Phase::after_head)) return happen("no chunk\r\n");
        if (meets(Phase::before_first_event)) {
            write(chunk_size(kComment.size()) + std::string(kComment) + "\r\n");
            return happen("no chunk\r\n");
        }
        std::size_t cut = std::string::npos;
        if (meets(Phase::in_first_event)) cut = pieces_of(answer).front().size() / 2;
        if (meets(Phase::mid_body)) cut = plan_.offset;
        if (meets(Phase::after_done)) cut = answer.body.size();
        if (!send_body(answer, cut)) return false;
        if (cut != std::string::npos) return happen("no chunk\r\n");
        return !answer.chunked || write("0\r\n\r\n");
    }

    void note_fault() {
        const std::lock_guard lock(board_.mutex);
        ++board_.faults;
        board_.changed.notify_all();
    }

    // Byte by byte, slower than anybody waits.
    bool dribble(std::string_view head) {
        note_fault();
        for (const char byte : head) {
            if (!write({&byte, 1}) || socket_.wait_until_gone(kSlowByte)) break;
        }
        return false;
    }

    // `cut` bytes of the payload, or all of it.
    bool send_body(const ProviderAnswer& answer, std::size_t cut) {
        const bool whole = plan_.whole_chunks || plan_.fault == ProviderFault::garbage;
        const std::vector<std::string> pieces = pieces_of(answer);
        for (std::size_t round = 0; answer.repetitions == 0 || round < answer.repetitions;
             ++round) {
            for (const std::string& piece : pieces) {
                if (cut == 0) return true;
                const std::string part = piece.substr(0, cut);
                if (cut != std::string::npos) cut -= part.size();
                const bool complete = part.size() == piece.size();
                std::string wire = part;
                if (answer.chunked) {
                    wire = chunk_size(whole ? part.size() : piece.size()) + part;
                    if (whole || complete) wire += "\r\n";
                }
                if (!write(wire)) return false;
            }
        }
        return true;
    }

    bool write(std::string_view bytes) {
        if (gathers_) {
            gathered_ += bytes;
            return true;
        }
        constexpr std::size_t kAtOnce = 16 * 1024;
        while (!bytes.empty()) {
            const std::string_view part = bytes.substr(0, kAtOnce);
            if (!socket_.write(part)) return false;
            board_.bytes_sent += part.size();
            bytes.remove_prefix(part.size());
        }
        return true;
    }

    // Returns false, for the connection's script ends with it.
    bool happen(std::string_view garbage) {
        switch (plan_.fault) {
            case ProviderFault::fin:
                socket_.finish(true);
                break;
            case ProviderFault::tls_truncation:
                socket_.finish(false);
                break;
            case ProviderFault::rst:
                socket_.reset();
                break;
            case ProviderFault::garbage:
                if (plan_.phase < Phase::request) {
                    socket_.write_raw(garbage);
                } else {
                    socket_.write(garbage);
                }
                break;
            default:
                break;
        }
        note_fault();
        socket_.wait_until_gone();
        return false;
    }

    ProviderBoard& board_;
    std::uint64_t id_;
    ProviderSocket socket_;
    ProviderPlan plan_;
    ProviderRequest request_;
    bool gathers_ = false;
    std::string gathered_;  // to be written at once
    std::string input_;     // read, and not yet part of a request
};

}  // namespace

void run_provider_script(ProviderBoard& board, const AcceptedConnection& accepted) {
    Conversation conversation(board, accepted);
    conversation.run();
}

}  // namespace rotary::test
