#pragma once

#include <rotary/mock/provider.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

// What the demo's client sends and what it reads: HTTP/1.1 without a socket.
namespace rotary::demo {

struct Call {
    std::string method = "POST";
    std::string host;  // for Host, SNI and the check of the certificate's name
    std::string target;
    mock::HeaderList headers;
    std::string body;
    std::function<void(std::string_view piece)> on_body;  // as the pieces arrive; may be empty
};

struct Answer {
    unsigned status = 0;
    mock::HeaderList headers;
    std::string body;

    // The first of this name, whatever its case; empty if there is none.
    std::string_view header(std::string_view name) const;
};

// The request, whole; its connection is for it alone.
std::string bytes_of(const Call& call);

// Puts an answer together from the pieces that come.
class AnswerReader {
public:
    explicit AnswerReader(const Call& call);  // `call` outlives it
    ~AnswerReader();

    // The next bytes of the connection. Throws std::runtime_error when they are no HTTP.
    void take(std::string_view bytes);
    // The connection's end. Throws std::runtime_error when the answer is not whole by then.
    void end();
    bool is_done() const;
    Answer answer();  // once it is done

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rotary::demo
