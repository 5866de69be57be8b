#pragma once

#include "admin/admin_routes.hpp"

#include <rotary/admin/event_feed.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

// Answers of the admin listener that come later than their request: what the workers know, and
// events as they happen. g++ 12 rules hold: named objects only in an expression that awaits.
namespace rotary::admin {

// What is awaited yields (error, …) instead of throwing.
inline constexpr auto kAwait = boost::asio::as_tuple(boost::asio::use_awaitable);

// A worker that is stuck answers never.
inline constexpr std::chrono::seconds kWorkersPatience{1};
// A listener that reads slower than events come is let go.
inline constexpr std::size_t kMostUnread = std::size_t{1} << 20;

template <class Connection>
boost::asio::awaitable<void> await_requests(Connection& connection, AdminAnswer& out) {
    struct Awaited {
        explicit Awaited(const boost::asio::any_io_executor& executor) : told(executor) {}
        boost::asio::steady_timer told;
        std::string json;
        bool is_there = false;
    };
    auto awaited = std::make_shared<Awaited>(connection.stream.get_executor());
    awaited->told.expires_after(kWorkersPatience);
    auto tell = [awaited](std::string json) {
        awaited->json = std::move(json);
        awaited->is_there = true;
        awaited->told.cancel();
    };
    connection.state->hooks.requests(out.most, std::move(tell));
    if (!awaited->is_there) co_await awaited->told.async_wait(kAwait);
    if (awaited->is_there) {
        out.body = std::move(awaited->json);
    } else {
        out = admin_problem(503, "overloaded", "a worker did not answer in time");
    }
}

// Ends with the connection.
template <class Connection>
boost::asio::awaitable<void> stream_events(Connection& connection) {
    EventFeed& feed = *connection.state->hooks.events;
    boost::asio::steady_timer more(connection.stream.get_executor());
    std::string pending =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\nX-Accel-Buffering: no\r\nConnection: close\r\n\r\n"
        "retry: 2000\n\n" +
        feed.messages();
    bool too_slow = false;
    // Takes itself off the feed, also when the coroutine is destroyed where it waits.
    struct Subscription {
        EventFeed& feed;
        EventFeed::Place place;
        Subscription(EventFeed& of, EventFeed::Hear hear)
            : feed(of), place(of.subscribe(std::move(hear))) {}
        ~Subscription() { feed.unsubscribe(place); }
        Subscription(const Subscription&) = delete;
        Subscription& operator=(const Subscription&) = delete;
    };
    auto hear = [&pending, &too_slow, &more](std::string_view message) {
        too_slow = too_slow || pending.size() + message.size() > kMostUnread;
        if (!too_slow) pending += message;
        more.cancel();
    };
    const Subscription subscription(feed, std::move(hear));
    while (!too_slow && !connection.state->stopped) {
        if (pending.empty()) {
            more.expires_at(std::chrono::steady_clock::time_point::max());
            co_await more.async_wait(kAwait);
            continue;
        }
        const std::string sent = std::exchange(pending, std::string());
        const auto from = boost::asio::buffer(sent);
        connection.stream.expires_after(connection.state->options.timeout);
        boost::system::error_code error;
        std::size_t bytes = 0;
        std::tie(error, bytes) = co_await boost::asio::async_write(connection.stream, from, kAwait);
        connection.stream.expires_never();
        if (error) co_return;
    }
}

}  // namespace rotary::admin
