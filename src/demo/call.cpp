#include <demo/call.hpp>

#include <rotary/base/text.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <stdexcept>
#include <utility>

namespace rotary::demo {

namespace {

namespace http = boost::beast::http;

constexpr std::size_t kAnswerBytes = 1 << 20;

}  // namespace

std::string_view Answer::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (text::iequals(key, name)) return value;
    }
    return {};
}

std::string bytes_of(const Call& call) {
    std::string out = call.method + " " + call.target + " HTTP/1.1\r\nHost: " + call.host +
                      "\r\nUser-Agent: rotary-demo\r\nConnection: close\r\n";
    for (const auto& [name, value] : call.headers) out += name + ": " + value + "\r\n";
    if (!call.body.empty() || call.method == "POST") {
        out += "Content-Length: " + std::to_string(call.body.size()) + "\r\n";
    }
    return out + "\r\n" + call.body;
}

struct AnswerReader::State {
    const Call& call;
    http::response_parser<http::string_body> parser{};
    std::string pending{};
    std::size_t told = 0;  // of the body
};

AnswerReader::AnswerReader(const Call& call) : state_(new State{call}) {
    state_->parser.eager(true);
    state_->parser.body_limit(kAnswerBytes);
}

AnswerReader::~AnswerReader() = default;

void AnswerReader::take(std::string_view bytes) {
    State& state = *state_;
    boost::system::error_code error;
    state.pending.append(bytes);
    while (!state.pending.empty() && !state.parser.is_done()) {
        state.pending.erase(0, state.parser.put(boost::asio::buffer(state.pending), error));
        if (error == http::error::need_more) break;
        if (error) throw std::runtime_error("no HTTP in the answer: " + error.message());
    }
    const std::string& body = state.parser.get().body();
    if (state.call.on_body && body.size() > state.told) {
        const std::size_t before = std::exchange(state.told, body.size());
        state.call.on_body(std::string_view(body).substr(before));
    }
}

void AnswerReader::end() {
    http::response_parser<http::string_body>& parser = state_->parser;
    boost::system::error_code error;
    if (parser.got_some()) parser.put_eof(error);
    if (error || !parser.is_done()) {
        throw std::runtime_error("the connection ended in mid-answer");
    }
}

bool AnswerReader::is_done() const { return state_->parser.is_done(); }

Answer AnswerReader::answer() {
    http::response<http::string_body>& read = state_->parser.get();
    Answer answer;
    answer.status = read.result_int();
    for (const auto& field : read) {
        answer.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    }
    answer.body = std::move(read.body());
    return answer;
}

}  // namespace rotary::demo
