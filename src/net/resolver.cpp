#include <rotary/net/resolver.hpp>

#include "dns_client.hpp"
#include "name_table.hpp"

#include <mutex>
#include <unordered_map>
#include <utility>

namespace rotary::net {

// Made and dropped on the asker's thread; the answer comes from the resolver's thread, which
// touches `post` alone, under the mutex: after drop() nothing is posted there any more.
struct Resolver::Question::Asker {
    std::mutex mutex;
    Post post;  // none: dropped
    Done done;

    static void tell(const std::shared_ptr<Asker>& asker, const Resolved& resolved) {
        const std::lock_guard lock(asker->mutex);
        if (!asker->post) return;
        asker->post([asker, resolved] {
            if (const Done call = std::exchange(asker->done, nullptr)) call(resolved);
        });
    }
};

void Resolver::Question::drop() noexcept {
    if (asker_ == nullptr) return;
    {
        const std::lock_guard lock(asker_->mutex);
        asker_->post = nullptr;
    }
    asker_->done = nullptr;
    asker_.reset();
}

Resolver::Question& Resolver::Question::operator=(Question&& other) noexcept {
    if (this != &other) {
        drop();
        asker_ = std::move(other.asker_);
    }
    return *this;
}

struct Resolver::State {
    using Askers = std::vector<std::weak_ptr<Question::Asker>>;

    explicit State(Options with)
        : client([this](const std::string& name, DnsAnswer answer) {
              answered(name, std::move(answer));
          }) {
        set_options(std::move(with));
    }

    void set_options(Options with);
    std::optional<Resolved> find(const std::string& name);
    Askers* begin(const std::string& name);
    void answered(const std::string& name, DnsAnswer answer);

    std::mutex mutex;
    Options options;
    std::string servers;
    NameTable table;
    std::unordered_map<std::string, Askers> flights;  // names that are being looked up
    DnsClient client;                                 // last: its thread uses the others
};

void Resolver::State::set_options(Options with) {
    const std::lock_guard lock(mutex);
    options = std::move(with);
    servers.clear();
    for (const std::string& server : options.servers) {
        servers.append(servers.empty() ? "" : ",").append(server);
    }
    table.set_rules({options.fresh, options.stale, options.negative, options.entries});
}

// Under the mutex.
std::optional<Resolved> Resolver::State::find(const std::string& name) {
    const NameTable::Found found = table.find(name, std::chrono::steady_clock::now());
    if (found.resolved == nullptr) return std::nullopt;
    if (found.renew) begin(name);  // when too many are on their way, the next one to ask renews
    return *found.resolved;
}

// Those who wait for this name, whose lookup begins if it has not yet. Null: too many are on their
// way. Under the mutex.
Resolver::State::Askers* Resolver::State::begin(const std::string& name) {
    const auto flight = flights.find(name);
    if (flight != flights.end()) return &flight->second;
    if (flights.size() >= options.lookups) return nullptr;
    client.ask({name, options.lookup, servers});
    return &flights[name];
}

// On the client's thread.
void Resolver::State::answered(const std::string& name, DnsAnswer answer) {
    const DnsAnswer::Outcome outcome = answer.outcome;
    const std::lock_guard lock(mutex);
    Resolved resolved = resolved_of(std::move(answer), options.addresses);
    const SteadyTime now = std::chrono::steady_clock::now();
    if (outcome != DnsAnswer::Outcome::our_want) {
        table.store(name, resolved, outcome == DnsAnswer::Outcome::gone, now);
    }
    // A renewal that failed has left what was there.
    const NameTable::Found found = table.find(name, now);
    if (!resolved && found.resolved != nullptr) resolved = *found.resolved;
    const auto flight = flights.extract(name);
    for (const auto& weak : flight.mapped()) {
        if (const auto asker = weak.lock()) Question::Asker::tell(asker, resolved);
    }
}

Resolver::Resolver() : Resolver(Options()) {}

Resolver::Resolver(Options options) : state_(std::make_unique<State>(std::move(options))) {}

Resolver::~Resolver() { stop(); }

void Resolver::set_options(Options options) { state_->set_options(std::move(options)); }

std::optional<Resolved> Resolver::known(const std::string& name) {
    const std::lock_guard lock(state_->mutex);
    return state_->find(name);
}

Resolver::Question Resolver::ask(const std::string& name, Post post, Done done) {
    Question question;
    question.asker_ = std::make_shared<Question::Asker>();
    question.asker_->post = std::move(post);
    question.asker_->done = std::move(done);
    const std::lock_guard lock(state_->mutex);
    if (const std::optional<Resolved> known = state_->find(name)) {
        Question::Asker::tell(question.asker_, *known);
    } else if (State::Askers* const askers = state_->begin(name)) {
        // Those who left are forgotten before the list grows.
        if (askers->size() == askers->capacity()) {
            std::erase_if(*askers, [](const auto& asker) { return asker.expired(); });
        }
        askers->push_back(question.asker_);
    } else {
        // This process's bound, not the provider's fault; closing idle connections would not help.
        const Fault fault{FaultKind::upstream_dns_failed, Origin::internal, Retry::next_entry,
                          "too many names being resolved"};
        Question::Asker::tell(question.asker_, fault);
    }
    return question;
}

void Resolver::stop() { state_->client.stop(); }

}  // namespace rotary::net
