#pragma once

#include "kubernetes/kinds.hpp"
#include "kubernetes/object_set.hpp"
#include "kubernetes/watch_state.hpp"

#include <rotary/base/log.hpp>
#include <rotary/config/settings/settings.hpp>
#include <rotary/kubernetes/api_client.hpp>
#include <rotary/wire/json_document.hpp>

#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace rotary::kubernetes {

// Keeps what an API server holds of one kind, in one namespace or in all: LIST, then WATCH, over
// and over, as WatchState says. Control thread only.
class ResourceWatch {
public:
    struct Options {
        const Kind* kind = nullptr;
        Selection selection{};
        std::string object_name{};  // where it is one Secret or ConfigMap alone
        config::Timeouts timeouts{};
        config::Limits limits{};
        // The objects are others now, or whether they are complete, or how it stands.
        std::function<void(bool other_objects)> on_change{};
        std::function<void()> on_return{};  // the server answers again, of which others may hear
    };

    // Begins at once. The client, the logger and what on_change refers to outlive it.
    ResourceWatch(boost::asio::io_context& context, ApiClient& client, Logger& log,
                  Options options);
    ~ResourceWatch();
    ResourceWatch(const ResourceWatch&) = delete;
    ResourceWatch& operator=(const ResourceWatch&) = delete;

    // The server answers: what waits for it only by its own guess goes on.
    void hurry();
    // From the next request on.
    void configure(const config::Config& config);

    const Kind& kind() const noexcept { return *options_.kind; }
    const Selection& selection() const noexcept { return options_.selection; }
    const WatchState& state() const noexcept { return state_; }
    // Adds those to serve: for a while also those of a kind that has just been removed.
    void add_objects(ObjectMap& objects) const;
    std::size_t size() const noexcept { return known_.objects().size() + leaving_.size(); }
    bool holds_removed_kind() const noexcept { return is_held_; }
    const std::string& last_error() const noexcept { return last_error_; }
    std::uint64_t events() const noexcept { return events_; }

private:
    // From a deletion, or the first of many, until it counts.
    static constexpr std::chrono::milliseconds kLeaving{400};
    static constexpr std::chrono::milliseconds kMostLeaving{5000};

    void go_on(const Step& step);
    void list();
    void take_page(const ApiAnswer& answer);
    void list_failed(const ApiAnswer& answer);
    void listed(std::string_view version);
    void watch();
    void opened();
    void take_line(std::string_view line);
    void take_event(std::string_view type, const wire::JsonValue& object);
    void take_error(const wire::JsonValue& status);
    void watch_ended(const ApiAnswer& answer);
    void remove(const ObjectText& object);
    void leave_after(SteadyTime end);
    void stay();
    void hold_removed_kind();
    void tell(WatchState::Standing before);
    double random();

    ApiClient& client_;
    Logger& log_;
    Options options_;
    WatchState state_;
    ObjectSet known_;
    ObjectMap pages_;  // of a LIST under way
    std::string continue_;
    ObjectMap leaving_;  // what goes on serving although it is deleted
    SteadyTime first_left_{};
    bool is_held_ = false;             // those of a kind that is removed
    std::optional<Step::Do> pending_;  // behind a wait
    bool is_over_ = false;             // a WATCH's end is known before its connection's
    Ending ending_;
    std::string last_error_;
    std::uint64_t events_ = 0;
    SteadyTime watch_began_{};
    ApiClient::Handle call_;
    boost::asio::steady_timer timer_;
    boost::asio::steady_timer departure_;
    std::minstd_rand dice_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace rotary::kubernetes
