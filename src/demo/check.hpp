#pragma once

#include <demo/call.hpp>
#include <rotary/mock/provider.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Whether a step of the demo happened: pure functions from what was seen to a Check.
namespace rotary::demo {

struct Check {
    std::string claim;  // what the step shows
    bool held = true;
    std::string expected;  // both empty when it held
    std::string came;
};

// The first one that didn't hold; if all did, one that did.
Check all_of(std::string claim, const std::vector<Check>& checks);

// A chat call's answer, as far as the story is about it. Texts are empty where there are none.
struct Served {
    unsigned status = 0;
    std::string model;    // x-rotary-model
    std::string backend;  // x-rotary-backend
    unsigned attempts = 0;
    std::string named;  // the model as the answer's body has it
    std::string error_code;
    std::int64_t input = 0;  // tokens, as the answer tells them
    std::int64_t output = 0;
};
Served read_served(const Answer& answer);

// One entry of GET /api/v1/models; an unreadable text gives none.
struct ModelState {
    std::string environment;
    std::string model;
    std::string backend;
    std::string state;
    std::string reason;
    std::int64_t seconds_left = 0;
};
std::vector<ModelState> read_models(std::string_view json);
std::optional<ModelState> find_model(const std::vector<ModelState>& models,
                                     std::string_view environment, std::string_view model);

// 401 with this code and WWW-Authenticate.
Check check_refused(const Answer& answer, std::string_view code);

// All are 200 at the first attempt, each answer names its model with `suffix` behind it, and any
// run of as many calls as there are models has each of them once, none besides.
Check check_turns(const std::vector<Served>& calls, const std::vector<std::string>& models,
                  std::string_view suffix);

// 200 by this model at this backend at the first attempt.
Check check_served_by(const Served& call, std::string_view model, std::string_view backend);

// A stream as it arrived.
struct StreamSeen {
    struct Event {
        std::chrono::milliseconds at;  // since the call began
        std::string data;
    };
    unsigned status = 0;
    std::vector<Event> events;
};
// Whole, ended by [DONE], and spread over at least half of the time that the provider took between
// its events: held back, they would come all at once.
Check check_stream(const StreamSeen& stream, std::chrono::milliseconds interval);

// 200 at the second attempt, by another model than `refused`.
Check check_failed_over(const Served& call, std::string_view refused);

// Suspended for want of quota, for some seconds up to `longest`.
Check check_suspended(const std::optional<ModelState>& model, std::chrono::seconds longest);

// Answers until the budget is spent, and then 429; the gateway says that as much was spent as the
// answers' tokens come to. All money in nanodollars.
struct Spending {
    std::vector<Served> calls;
    std::int64_t budget = 0;
    std::int64_t input_rate = 0;  // a token
    std::int64_t output_rate = 0;
    std::optional<std::int64_t> told;  // by the gateway
};
std::int64_t cost_of(const Served& call, const Spending& spending);
Check check_budget(const Spending& spending);
// What GET /api/v1/limits says was used of this consumer's budget in the sandbox.
std::optional<std::int64_t> read_spent(std::string_view json);

Check check_state(const std::optional<ModelState>& model, std::string_view state);

// What a provider got: at least one request, in each exactly its own key and none of `secrets`.
Check check_keys(const std::vector<mock::Captured>& requests, std::string_view key,
                 const std::vector<std::string>& secrets);

}  // namespace rotary::demo
