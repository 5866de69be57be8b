#include "unit/proxy/doubles.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace rotary::proxy {

namespace {

Task<void> keep_result(Task<Result<void>> step, std::optional<Result<void>>& result) {
    auto ended = co_await step;
    result = ended;
}

Fault malformed() { return Fault::upstream(FaultKind::upstream_protocol_error, "malformed"); }

}  // namespace

std::string HandMadeClient::run(Task<Result<void>> step) {
    result_.reset();
    got_.clear();
    spawn(keep_result(std::move(step), result_));
    EXPECT_TRUE(result_.has_value()) << "the step waits";
    return without_cr(got_);
}

Task<Result<void>> HandMadeClient::read_body() { co_return Result<void>{}; }

wire::HeadWriter HandMadeClient::begin_answer(std::uint16_t status, std::string_view reason) {
    std::vector<char>& space = request_.scratch.head;
    wire::HeadWriter head(space.data(), space.size());
    head.status_line(status, reason);
    return head;
}

bool HandMadeClient::start(wire::HeadWriter& head, downstream::AnswerBody body) {
    head.finish();
    head_ = without_cr(head.view());
    body_ = body;
    has_head_ = true;
    return head.ok();
}

Result<bool> HandMadeClient::write(wire::Pieces& pieces, bool is_last) {
    if (std::exchange(has_head_, false)) got_ += head_;
    for (const std::string_view piece : pieces.all()) got_ += piece;
    ended_ = is_last;
    return true;
}

Task<Result<void>> HandMadeClient::finish_write(wire::Pieces&) { co_return Result<void>{}; }

void HandMadeProvider::answers(const std::string& head) {
    head_text_ = with_crlf(head) + "\r\n";
    wire::ResponseHead& parsed = request_.scratch.response;
    const auto ok =
        wire::parse_response_head(head_text_, {}, request_.exchange.request.is_head, parsed);
    if (!ok) throw std::runtime_error("the test's answer is none: " + head);
    answer_ = {};
    answer_.status = parsed.status;
    answer_.length = parsed.content_length;
    answer_.body = parsed.framing == wire::Framing::none             ? upstream::BodyEnd::none
                   : parsed.framing == wire::Framing::content_length ? upstream::BodyEnd::sized
                                                                     : upstream::BodyEnd::unsized;
    const wire::Header* type = parsed.headers.find("content-type");
    answer_.is_event_stream = type != nullptr && type->value.starts_with("text/event-stream");
    answer_.came = request_.reactor.now();
    answer_.answer_by = answer_.came + std::chrono::seconds(60);
}

std::string HandMadeProvider::request_target() const {
    const std::size_t begin = request_head_.find(' ') + 1;
    return request_head_.substr(begin, request_head_.find(' ', begin) - begin);
}

Task<Result<void>> HandMadeProvider::wait_for_place() { co_return Result<void>{}; }
Task<Result<void>> HandMadeProvider::connect(const net::Endpoint&) { co_return Result<void>{}; }
Task<Result<void>> HandMadeProvider::finish_send(wire::Pieces&) { co_return Result<void>{}; }
Task<Result<void>> HandMadeProvider::read_head() { co_return Result<void>{}; }

wire::HeadWriter HandMadeProvider::begin_request(std::string_view method) {
    std::vector<char>& space = request_.scratch.head;
    wire::HeadWriter head(space.data(), space.size());
    head.append(method);
    head.append(" ");
    return head;
}

void HandMadeProvider::end_target(wire::HeadWriter& head, std::string_view authority) {
    head.append(" HTTP/1.1\r\n");
    head.header("Host", authority);
}

bool HandMadeProvider::start(wire::HeadWriter& head, std::optional<std::size_t> length) {
    if (length) head.line("content-length: ", static_cast<std::uint64_t>(*length));
    head.finish();
    request_head_ = without_cr(head.view());
    return head.ok();
}

Result<std::string_view> HandMadeProvider::peek() {
    if (peeked_ == std::min(came_, arrivals.size())) return std::string_view{};
    const std::string& next = arrivals[peeked_++];
    if (next == "FAULT") return malformed();
    return std::string_view(next);
}

std::string_view HandMadeProvider::payload_at_hand(std::string& space) const {
    space.clear();
    for (std::size_t i = 0; i < std::min(came_, arrivals.size()); ++i) space += arrivals[i];
    return space;
}

Result<void> HandMadeProvider::take(wire::Pieces& pieces) {
    while (taken_ < std::min(came_, arrivals.size())) {
        const std::string& next = arrivals[taken_++];
        if (next == "FAULT") return malformed();
        pieces.add(next);
    }
    return {};
}

Result<bool> HandMadeProvider::receive(std::size_t) {
    if (came_ >= arrivals.size()) return fault;
    ++came_;
    return true;
}

Task<Result<void>> HandMadeProvider::read(SteadyTime) {
    const auto received = receive(0);
    if (!received) co_return received.error();
    co_return Result<void>{};
}

}  // namespace rotary::proxy
