#pragma once

#include "proxy/tries.hpp"

#include <rotary/llm/usage.hpp>
#include <rotary/quota/admission.hpp>
#include <rotary/routing/in_flight.hpp>
#include <rotary/routing/snapshot.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace rotary::proxy {

// A try that brought no answer, and may have cost something: usage.charge_failed.
struct FailedTry {
    Choice choice;
    llm::Usage usage;
    std::optional<std::int64_t> cost;  // as of an answer
};

// The places that it has among the requests in flight, of its consumer and of its API, where these
// have a limit.
struct CallerPlaces {
    routing::InFlight::Place consumer;
    routing::InFlight::Place api;

    void leave() noexcept {
        consumer.leave();
        api.leave();
    }
};

// What it holds of limits, and how they stand with it. proxy/limits writes it.
struct Quotas {
    CallerPlaces places;                              // proxy/caller_places takes them
    quota::Admission held;                            // of the caller's limits and the API's
    quota::Admission of_try;                          // of the limits of the Backend that is asked
    quota::Amounts estimate;                          // of its tokens
    bool must_be_priced = false;                      // a budget applies, and says so
    const routing::Subscriber* subscriber = nullptr;  // as whom the caller may pass
    std::optional<quota::Reached> refusal;            // why it may not
    std::vector<FailedTry> failed;                    // that the caller pays for too; mostly none
    bool waits = false;       // the fleet is asked: the step that said so is to be taken again
    bool is_patient = true;   // else limits are decided by what is known here
    SteadyTime patience_end;  // of all its waits for the fleet; none yet: the clock's zero

    void clear() noexcept {
        places.leave();
        held.clear();
        of_try.clear();
        estimate = {};
        subscriber = nullptr;
        must_be_priced = false;
        failed.clear();
        refusal.reset();
        waits = false;
        is_patient = true;
        patience_end = {};
    }
};

}  // namespace rotary::proxy
