#pragma once

#include <rotary/base/fault.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rotary::net {

using Addresses = std::vector<boost::asio::ip::tcp::endpoint>;  // their ports are 0

// At least one address, in the order in which they should be tried (RFC 6724), or why there is
// none: upstream_dns_failed; with origin internal when too many names were being looked up;
// overloaded (origin internal too) when this process was out of descriptors or memory.
using Resolved = Result<std::shared_ptr<const Addresses>>;

// Names to addresses, one resolver for the whole process. Names are looked up side by side, each
// once however many ask, so one that hangs keeps nothing but itself waiting. What was found is
// served while it is fresh, and for a while longer while it is renewed in the background; that
// nothing was found is remembered briefly. Looks names up as the system says (/etc/hosts,
// /etc/resolv.conf with its search domains, read anew each time), on a thread of its own.
//
// Shared by all threads. What is known costs a mutex that is held for one look into a table.
class Resolver {
public:
    struct Options {
        std::chrono::milliseconds lookup{5'000};  // the longest that one takes
        std::chrono::milliseconds fresh{30'000};
        std::chrono::milliseconds stale{3'600'000};  // …and then still used while it is renewed
        std::chrono::milliseconds negative{1'000};   // a failure stands, or a renewal waits
        std::size_t lookups = 256;                   // at a time
        std::size_t entries = 1024;                  // names remembered
        std::size_t addresses = 16;                  // kept of one name, the first ones
        std::vector<std::string> servers{};          // ADDRESS or ADDRESS:PORT; empty: the system's
    };

    Resolver();  // throws std::system_error when the process is out of descriptors
    explicit Resolver(Options options);
    ~Resolver();  // stops
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    void set_options(Options options);  // for lookups and answers from now on

    // The answer, if it is known now. One that is stale begins to be renewed.
    std::optional<Resolved> known(const std::string& name);

    // Has a piece of work run on the asker's thread: how an answer gets there.
    using Post = std::function<void(std::function<void()> work)>;

    // An answer that is waited for; dropping it ends the wait. On the asker's thread; what `post`
    // refers to must outlive it.
    class Question {
    public:
        Question() = default;
        Question(Question&& other) noexcept = default;
        Question& operator=(Question&& other) noexcept;
        ~Question() { drop(); }
        void drop() noexcept;  // its callback is not called any more

    private:
        friend class Resolver;
        struct Asker;
        std::shared_ptr<Asker> asker_;
    };
    // Calls `done` once, later, by `post`.
    using Done = std::function<void(const Resolved& resolved)>;
    [[nodiscard]] Question ask(const std::string& name, Post post, Done done);

    // Ends all lookups without waiting for one. Nothing is answered any more.
    void stop();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rotary::net
