#include <rotary/fleet/fleet.hpp>

#include <utility>

namespace rotary::fleet {

Fleet::Fleet(Store& store, std::shared_ptr<Timers> timers, Options options, Logger& log)
    : store_(store),
      timers_(std::move(timers)),
      replicas_(store, timers_, options.name_space, options.replica),
      suspensions_(store, timers_, {options.name_space, options.replica, options.longest}, log),
      is_joined_(store.is_ready()),
      since_(timers_->now()) {
    store_.listen(*this);
}

Fleet::~Fleet() { store_.unlisten(*this); }

void Fleet::take(const std::vector<SharedEntry>& entries, std::chrono::milliseconds longest) {
    suspensions_.set_longest(longest);
    suspensions_.take(entries);
}

void Fleet::when_joined(std::chrono::milliseconds patience, std::function<void()> joined) {
    auto once = std::make_shared<std::function<void()>>(std::move(joined));
    auto call = [once] {
        if (auto now = std::exchange(*once, nullptr)) now();
    };
    timers_->after(patience, call);
    suspensions_.when_informed(call);
}

void Fleet::leave() {
    replicas_.leave([] {});
}

void Fleet::on_ready() {
    is_joined_ = true;
    since_ = timers_->now();
}

void Fleet::on_lost() {
    is_joined_ = false;
    since_ = timers_->now();
}

}  // namespace rotary::fleet
