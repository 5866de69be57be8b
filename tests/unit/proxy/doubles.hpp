#pragma once

#include <rotary/downstream/client.hpp>
#include <rotary/upstream/provider.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unit/proxy/one_request.hpp"

// The two ends of an exchange, made by hand: what stands behind the seams without a socket.
namespace rotary::proxy {

// A client that takes all that it is given at once.
class HandMadeClient final : public downstream::Client {
public:
    explicit HandMadeClient(OneRequest& request) : request_(request) {}

    // Runs a step, which must not wait, and returns what the client got of it.
    std::string run(Task<Result<void>> step);
    const Result<void>& result() const { return *result_; }
    const std::string& head() const { return head_; }  // of the answer that was started
    downstream::AnswerBody body() const { return body_; }
    bool ended() const { return ended_; }    // the last write was one
    bool closes() const { return closes_; }  // behind the answer

    void watch(net::WaitFor&) noexcept override {}
    Result<void> reread_head() override { return {}; }
    bool take_body_at_hand() noexcept override { return true; }
    Task<Result<void>> read_body() override;
    wire::HeadWriter begin_answer(std::uint16_t status, std::string_view reason) override;
    bool start(wire::HeadWriter& head, downstream::AnswerBody body) override;
    Result<bool> write(wire::Pieces& pieces, bool is_last) override;
    Task<Result<void>> finish_write(wire::Pieces& pieces) override;
    std::uint64_t bytes_sent() const noexcept override { return got_.size(); }
    void close_after() noexcept override { closes_ = true; }

private:
    OneRequest& request_;
    std::string head_;
    std::string got_;
    downstream::AnswerBody body_ = downstream::AnswerBody::none;
    bool has_head_ = false;
    bool ended_ = false;
    bool closes_ = false;
    std::optional<Result<void>> result_;
};

// A provider whose answer the test writes: its head, and pieces of payload that come one by one.
class HandMadeProvider final : public upstream::Provider {
public:
    explicit HandMadeProvider(OneRequest& request) : request_(request) {}

    // Parses the head of an answer into the scratch.
    void answers(const std::string& head);
    // One read of the answer each; "FAULT" is malformed framing.
    std::vector<std::string> arrivals;
    bool ends = true;   // the last of them is the end of the body
    bool full = false;  // no more fits
    // What was asked of it.
    const std::string& request_head() const { return request_head_; }
    std::string request_target() const;
    upstream::AnswerHead& head() { return answer_; }

    Result<bool> begin(std::size_t, const upstream::Terms&) override { return true; }
    Task<Result<void>> wait_for_place() override;
    bool is_connected() const noexcept override { return true; }
    Task<Result<void>> connect(const net::Endpoint&) override;
    bool is_reused() const noexcept override { return false; }
    bool asked() const noexcept override { return true; }
    wire::HeadWriter begin_request(std::string_view method) override;
    void end_target(wire::HeadWriter& head, std::string_view authority) override;
    bool start(wire::HeadWriter& head, std::optional<std::size_t> length) override;
    bool send(wire::Pieces&) override { return true; }
    Task<Result<void>> finish_send(wire::Pieces&) override;
    Task<Result<void>> read_head() override;
    void reread_head() override {}
    Result<std::string_view> peek() override;
    bool peeked_all() const noexcept override { return ends && peeked_ == arrivals.size(); }
    std::string_view payload_at_hand(std::string& space) const override;
    bool is_full() noexcept override { return full; }
    Result<void> take(wire::Pieces& pieces) override;
    bool took_all() const noexcept override { return ends && taken_ == arrivals.size(); }
    bool drop_taken() noexcept override { return false; }
    Result<bool> receive(std::size_t most) override;
    void watch(net::WaitFor&) noexcept override {}
    void rest() noexcept override {}
    Task<Result<void>> read(SteadyTime deadline) override;
    void hang_up() noexcept override {}
    void release() noexcept override { released = true; }
    void abandon() noexcept override { abandoned = true; }

    Fault fault;  // of a read when nothing more arrives
    bool released = false;
    bool abandoned = false;

private:
    OneRequest& request_;
    std::string head_text_;
    std::string request_head_;
    std::size_t came_ = 1;  // of the arrivals
    std::size_t peeked_ = 0;
    std::size_t taken_ = 0;
};

}  // namespace rotary::proxy
