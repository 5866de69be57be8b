#include <rotary/fleet/shared_suspensions.hpp>

#include <rotary/fleet/suspension_scripts.hpp>

#include <algorithm>
#include <utility>

namespace rotary::fleet {

namespace {

constexpr std::chrono::seconds kPause{1};
// After its time is over replicas ask for the probe at random within that, so that not all do at
// once.
constexpr std::chrono::milliseconds kAskWithin{50};

std::string text_of(std::chrono::milliseconds time) { return std::to_string(time.count()); }

}  // namespace

// Called by workers under an entry's lock: each word goes to the control thread.
class SharedSuspensions::EntryFellows final : public rotation::Fellows {
public:
    EntryFellows(std::shared_ptr<Door> door, std::string id)
        : door_(std::move(door)), id_(std::move(id)) {}

    bool are_ready() const noexcept override {
        return door_->is_ready.load(std::memory_order_relaxed);
    }
    void went_out(const rotation::Outage& outage) noexcept override {
        post([outage](SharedSuspensions& owner, const std::string& id) {
            owner.went_out(id, outage);
        });
    }
    void came_back() noexcept override {
        post([](SharedSuspensions& owner, const std::string& id) {
            owner.came_back(id, Back::probe_passed);
        });
    }
    void resumed() noexcept override {
        post([](SharedSuspensions& owner, const std::string& id) {
            owner.came_back(id, Back::resumed);
        });
    }
    void ask_for_probe(std::chrono::milliseconds wait) noexcept override {
        post([wait](SharedSuspensions& owner, const std::string& id) {
            owner.asked_for_probe(id, wait);
        });
    }

private:
    template <class Work>
    void post(Work work) noexcept {
        door_->timers->post([token = door_->token, id = id_, work] {
            if (*token != nullptr) work(**token, id);
        });
    }

    const std::shared_ptr<Door> door_;
    const std::string id_;
};

SharedSuspensions::SharedSuspensions(Store& store, std::shared_ptr<Timers> timers, Options options,
                                     Logger& log)
    : store_(store),
      options_(std::move(options)),
      log_(log),
      token_(std::make_shared<SharedSuspensions*>(this)),
      door_(std::make_shared<Door>()),
      hash_(fleet_key(options_.name_space, "s")),
      channel_(fleet_key(options_.name_space, "ev")),
      random_(static_cast<unsigned>(std::hash<std::string>{}(options_.replica))) {
    door_->token = token_;
    door_->timers = std::move(timers);
    store_.listen(*this);
    door_->is_ready = store_.is_ready();
    door_->timers->after(kPause, [token = token_] {
        if (*token != nullptr) (*token)->each_second();
    });
}

SharedSuspensions::~SharedSuspensions() {
    *token_ = nullptr;
    door_->is_ready = false;
    store_.unlisten(*this);
}

void SharedSuspensions::take(const std::vector<SharedEntry>& entries) {
    Entries next;
    bool has_new = false;
    for (const SharedEntry& entry : entries) {
        if (entry.id.size() > kMaxEntryName) {
            log_.warn("suspensions are not shared: its name is too long", {{"entry", entry.id}});
            continue;
        }
        const auto known = entries_.find(entry.id);
        if (known != entries_.end() && known->second.state.lock() == entry.state) {
            next.insert(entries_.extract(known));
            continue;
        }
        const auto [added, is_added] = next.try_emplace(entry.id);
        if (!is_added) continue;
        added->second.state = entry.state;
        entry.state->share_with(std::make_shared<EntryFellows>(door_, entry.id));
        has_new = true;
    }
    entries_ = std::move(next);
    if (has_new) look_again();
}

void SharedSuspensions::when_informed(std::function<void()> informed) {
    if (is_informed_) return informed();
    informed_.push_back(std::move(informed));
}

void SharedSuspensions::went_out(const std::string& id, const rotation::Outage& outage) {
    const auto entry = entries_.find(id);
    if (entry == entries_.end()) return;
    entry->second.said = outage;
    entry->second.is_told = false;
    entry->second.until = std::max(entry->second.until, outage.until);
    entry->second.unsaid = Back::none;
    say_out(id, outage);
}

void SharedSuspensions::came_back(const std::string& id, Back how) {
    const auto entry = entries_.find(id);
    if (entry == entries_.end()) return;
    entry->second.said.reset();
    entry->second.heard.reset();
    entry->second.unsaid = how;
    say_back(id, how);
}

void SharedSuspensions::say_out(const std::string& id, const rotation::Outage& outage) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(outage.until - door_->timers->now());
    if (!store_.is_ready() || left.count() <= 0) return;  // on_ready() says it
    ++counts_.told;
    std::vector<std::string> arguments{channel_,
                                       id,
                                       text_of(left),
                                       text_of(outage.lasts),
                                       std::to_string(outage.times),
                                       std::string(rotation::to_string(outage.reason)),
                                       options_.replica,
                                       text_of(options_.longest)};
    auto answered = [token = token_, id, until = outage.until](const Reply& reply) {
        if (*token == nullptr) return;
        if (!reply.is_answer()) {
            (*token)->look_again_ = true;
            return;
        }
        const auto entry = (*token)->entries_.find(id);
        if (entry == (*token)->entries_.end()) return;
        for (const auto& known : {entry->second.said, entry->second.heard}) {
            if (known && known->until == until) entry->second.is_told = true;
        }
    };
    store_.run(suspend_script(), {hash_, fleet_key(options_.name_space, "p:" + id)},
               std::move(arguments), std::move(answered));
}

void SharedSuspensions::say_back(const std::string& id, Back how) {
    if (!store_.is_ready()) return;
    ++counts_.told;
    const char* letter = how == Back::resumed ? "r" : "b";
    auto answered = [token = token_, id, how](const Reply& reply) {
        if (*token == nullptr) return;
        if (!reply.is_answer()) {
            (*token)->look_again_ = true;
            return;
        }
        const auto entry = (*token)->entries_.find(id);
        if (entry != (*token)->entries_.end() && entry->second.unsaid == how) {
            entry->second.unsaid = Back::none;
        }
    };
    store_.run(back_script(), {hash_, fleet_key(options_.name_space, "p:" + id)},
               {channel_, id, letter, options_.replica, text_of(options_.longest)},
               std::move(answered));
}

void SharedSuspensions::asked_for_probe(const std::string& id, std::chrono::milliseconds wait) {
    const auto entry = entries_.find(id);
    if (entry == entries_.end()) return;
    ++counts_.probes_asked;
    const auto within = std::chrono::milliseconds(random_() % (kAskWithin.count() + 1));
    const auto due = entry->second.until + within;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - door_->timers->now());
    if (left.count() <= 0) return ask_for_lease(id, wait);
    door_->timers->after(left, [token = token_, id, wait] {
        if (*token != nullptr) (*token)->ask_for_lease(id, wait);
    });
}

// Without an answer this replica probes as if it were alone.
void SharedSuspensions::ask_for_lease(const std::string& id, std::chrono::milliseconds wait) {
    const std::string lease = fleet_key(options_.name_space, "p:" + id);
    auto answered = [token = token_, id](const Reply& reply) {
        if (*token == nullptr || reply.kind == Reply::Kind::nil) return;
        const auto entry = (*token)->entries_.find(id);
        if (entry == (*token)->entries_.end()) return;
        if (reply.is_answer()) ++(*token)->counts_.probes_granted;
        const auto state = entry->second.state.lock();
        if (state) state->grant_probe((*token)->door_->timers->now());
    };
    store_.ask({"SET", lease, options_.replica, "NX", "PX", text_of(wait)}, std::move(answered));
}

}  // namespace rotary::fleet
