#pragma once

#include <rotary/fleet/reply.hpp>
#include <rotary/fleet/script.hpp>

#include <functional>
#include <string>
#include <vector>

namespace rotary::fleet {

// What replicas share: asked for a few things at a time, never for one request. Redis is one; the
// tests and the simulation of a fleet have another. Control thread.
class Store {
public:
    // Called once for each question: at its deadline at the latest, and never from within the call
    // that asks.
    using Answered = std::function<void(const Reply& reply)>;

    // What is told by the store itself. Those who listen outlive it or take themselves away.
    class Listener {
    public:
        Listener() = default;
        virtual ~Listener() = default;
        Listener(const Listener&) = delete;
        Listener& operator=(const Listener&) = delete;
        // It can be asked, and what is published is heard from before this on: what is read from
        // now on and what is heard leave no gap. Each time anew behind an interruption.
        virtual void on_ready() = 0;
        // It can't be asked any more; what is published may be missed.
        virtual void on_lost() = 0;
        // What was published, by this replica too.
        virtual void on_message(std::string_view message) = 0;
    };

    Store() = default;
    virtual ~Store() = default;
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    virtual void listen(Listener& listener) = 0;
    virtual void unlisten(Listener& listener) noexcept = 0;

    // Whether a question has a chance of an answer; without it, it is answered with Kind::none.
    virtual bool is_ready() const noexcept = 0;
    virtual void ask(std::vector<std::string> command, Answered answered) = 0;
    virtual void run(const Script& script, std::vector<std::string> keys,
                     std::vector<std::string> arguments, Answered answered) = 0;
};

}  // namespace rotary::fleet
