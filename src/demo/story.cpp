#include <demo/story.hpp>

#include <demo/calls.hpp>
#include <demo/return_watch.hpp>
#include <demo/rows.hpp>
#include <demo/stream_events.hpp>

#include <exception>
#include <optional>
#include <stdexcept>

namespace rotary::demo {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kTurns = 9;
constexpr std::size_t kCallsToQuota = 60;  // a few suffice unless a window ends on the way
constexpr std::size_t kCallsWithoutIt = 6;
constexpr milliseconds kPoll{50};
constexpr milliseconds kReturnGrace{3000};  // beyond what the gateway promised

std::vector<std::string> all_models() { return {kModels.begin(), kModels.end()}; }

std::vector<std::string> models_without(std::string_view model) {
    std::vector<std::string> rest;
    for (const char* name : kModels) {
        if (name != model) rest.emplace_back(name);
    }
    return rest;
}

milliseconds since(Clock::time_point start) {
    return std::chrono::duration_cast<milliseconds>(Clock::now() - start);
}

std::size_t requests_for(const mock::MockProvider& provider, std::string_view model) {
    const std::string field = R"("model":")" + std::string(model) + '"';
    std::size_t count = 0;
    for (const mock::Captured& request : provider.requests()) {
        if (request.body.find(field) != std::string::npos) ++count;
    }
    return count;
}

}  // namespace

Story::Story(const Stage& stage, const StopSignal& stop, Printer& print)
    : stage_(stage),
      stop_(stop),
      print_(print),
      client_(stage.certificates().ca, stop),
      token_(stage.token("1h")),
      secrets_{token_} {}

bool Story::tell() {
    attempt(&Story::who_may_call);
    attempt(&Story::turns);
    attempt(&Story::sandbox);
    attempt(&Story::stream);
    attempt(&Story::quota);
    attempt(&Story::comes_back);
    attempt(&Story::budget);
    attempt(&Story::keys);
    return print_.all_held();
}

void Story::attempt(void (Story::*step)()) {
    try {
        (this->*step)();
    } catch (const std::exception& error) {
        print_.verdict({"this step", false, "an answer", error.what()});
    }
}

Answer Story::ask(const Call& call) const { return client_.https(stage_.port(), call); }

Served Story::ask_production() const {
    return read_served(ask(chat_call(kProductionHost, token_, false)));
}

std::vector<Served> Story::ask_production(std::size_t times) {
    std::vector<Served> calls;
    print_.quiet_row(call_titles());
    for (std::size_t i = 0; i < times; ++i) {
        calls.push_back(ask_production());
        print_.row(call_row(i + 1, calls.back()));
    }
    return calls;
}

std::vector<ModelState> Story::models() const {
    Call call;
    call.method = "GET";
    call.host = "127.0.0.1";
    call.target = "/api/v1/models";
    return read_models(client_.http(stage_.admin_port(), call).body);
}

void Story::who_may_call() {
    print_.step("Who may call: the gateway checks the token, before anything goes to a provider");
    struct Caller {
        const char* name;
        std::string token;
        const char* code;
    };
    const std::vector<Caller> callers = {
        {"no token", "", "missing_credentials"},
        {"a forged token", forged(token_), "invalid_token"},
        {"an expired token", stage_.token("-1h"), "token_expired"}};
    std::vector<Check> checks;
    for (const Caller& caller : callers) {
        const Answer answer = ask(chat_call(kProductionHost, caller.token, false));
        const Served call = read_served(answer);
        print_.row(column(caller.name, 19) + column(std::to_string(call.status), 6) +
                   call.error_code);
        checks.push_back(check_refused(answer, caller.code));
        if (!caller.token.empty()) secrets_.push_back(caller.token);
    }
    std::uint64_t asked = 0;
    for (const auto& provider : stage_.providers()) asked += provider.mock->request_count();
    if (asked != 0) checks.push_back({{}, false, "no provider asked", std::to_string(asked)});
    print_.verdict(all_of("all three refused, and no provider was asked", checks));
}

void Story::turns() {
    print_.step("Nine calls for the model \"whatever\": the rotation picks model and provider");
    const auto calls = ask_production(kTurns);
    Check check = check_turns(calls, all_models(), kSuffix);
    check.claim = "three models, three times each, in exact turns over two worker threads";
    print_.verdict(check);
}

void Story::sandbox() {
    print_.step("The sandbox: another host, the same token, a list of its own");
    const Served call = read_served(ask(chat_call(kSandboxHost, token_, false)));
    print_.row(column(kSandboxHost, 31) + column(call.model, kModelWidth) +
               column(call.backend, kBackendWidth) + std::to_string(call.status));
    Check check = check_served_by(call, kModels[0], "provider-2");
    check.claim = "the sandbox has gpt-4o at provider-2, production has it at provider-1";
    print_.verdict(check);
}

void Story::stream() {
    print_.step("A streamed answer, each event as it arrives");
    StreamSeen seen;
    std::string pending;
    Call call = chat_call(kProductionHost, token_, true);
    const auto start = Clock::now();
    call.on_body = [&](std::string_view piece) {
        const std::size_t before = seen.events.size();
        take_events(pending.append(piece), since(start), seen.events);
        for (std::size_t i = before; i < seen.events.size(); ++i) {
            const std::string row = event_row(seen.events[i]);
            if (!row.empty()) print_.row(row);
        }
    };
    const Answer answer = ask(call);
    seen.status = answer.status;
    Check check = check_stream(seen, kChunkInterval);
    check.claim = "event by event, by " + std::string(answer.header("x-rotary-model"));
    print_.verdict(check);
}

// What the provider says to a client that asks it now, with its key.
void Story::show_providers_refusal() {
    const Stage::Provider& provider = stage_.providers()[0];
    Call call;
    call.host = "127.0.0.1";
    call.target = "/v1/chat/completions";
    call.headers = {{"Content-Type", "application/json"}, {"Authorization", provider.key}};
    call.body = R"({"model":")" + std::string(kLimitedModel) + R"(","messages":[]})";
    const Answer answer = client_.http(provider.mock->port(), call);
    print_.row(column(provider.name + " itself", 26) + std::to_string(answer.status) + " " +
               read_served(answer).error_code +
               ", retry-after: " + std::string(answer.header("retry-after")));
}

void Story::show_suspension(const std::vector<ModelState>& models) {
    print_.quiet_row("GET /api/v1/models of the admin listener");
    for (const ModelState& model : models) print_.row(model_row(model));
}

void Story::quota() {
    print_.step("A quota is used up: " + std::string(kLimitedModel) + " at provider-1 answers " +
                std::to_string(kQuota) + " requests in " + std::to_string(kQuotaWindow.count()) +
                " s, then 429");
    const mock::MockProvider& provider = *stage_.providers()[0].mock;
    Served call;
    std::size_t calls = 0;
    std::size_t asked = 0;  // provider-1 for the limited model, by the call that was refused there
    do {
        const std::size_t before = requests_for(provider, kLimitedModel);
        call = ask_production();
        asked = requests_for(provider, kLimitedModel) - before;
    } while (++calls < kCallsToQuota && call.status == 200 && call.attempts == 1);
    const auto after = models();
    if (call.attempts > 1 && asked == 1) {
        print_.row(column("the gateway's attempt 1", 26) + kLimitedModel + " at provider-1: 429");
    }
    print_.row(column("its last attempt", 26) + call.model + " at " + call.backend);
    print_.row(column("the client", 26) + std::to_string(call.status) +
               ", x-rotary-attempts: " + std::to_string(call.attempts));
    show_providers_refusal();
    Check over = check_failed_over(call, kLimitedModel);
    if (over.held && asked != 1) {
        over = {{}, false, "one request for it at provider-1", std::to_string(asked)};
    }
    over.claim = "the provider said 429, the client got 200";
    print_.verdict(over);

    show_suspension(after);
    print_.verdict(
        all_of("suspended in production; the sandbox's entry of that name is not touched",
               {check_suspended(find_model(after, "production", kLimitedModel), kQuotaWindow),
                check_state(find_model(after, "sandbox", kLimitedModel), "active")}));

    const auto without = ask_production(kCallsWithoutIt);
    Check rest = check_turns(without, models_without(kLimitedModel), kSuffix);
    rest.claim = "meanwhile the other two take turns";
    print_.verdict(rest);
}

// False when the entry is still suspended long after the gateway promised its return.
bool Story::wait_for_return() {
    ReturnWatch watch(kReturnGrace);
    std::int64_t told = 0;
    for (;;) {
        const auto model = find_model(models(), "production", kLimitedModel);
        const ReturnWatch::Verdict verdict = watch.look(model, Clock::now());
        if (verdict != ReturnWatch::Verdict::wait) return verdict == ReturnWatch::Verdict::back;
        if (model->seconds_left != told) {
            told = model->seconds_left;
            print_.row(column("waiting", 26) + std::to_string(told) + " s left");
        }
        stop_.wait_for(kPoll);
    }
}

void Story::comes_back() {
    print_.step("It comes back: one call tries it first, and it has its turn again");
    const bool over = wait_for_return();
    const auto first = ask_production(1);
    Check probe = check_served_by(first[0], kLimitedModel, "provider-1");
    if (!over) probe = {{}, false, "the suspension's end", "it goes on"};
    const auto after = find_model(models(), "production", kLimitedModel);
    print_.verdict(all_of("the first call after the suspension went to " +
                              std::string(kLimitedModel) + ", which is active again",
                          {probe, check_state(after, "active")}));
    Check again = check_turns(ask_production(kModels.size()), all_models(), kSuffix);
    again.claim = "three calls, three models";
    print_.verdict(again);
}

void Story::budget() {
    print_.step("A team's API key and its budget: " + std::string(kBudget) +
                " USD a month, for two of the models");
    secrets_.push_back(stage_.team_key());
    Spending spending;
    spending.budget = kBudgetNanos;
    spending.input_rate = kInputNanos;
    spending.output_rate = kOutputNanos;
    print_.quiet_row(column("call", 6) + column("model", kModelWidth) + column("status", 8) +
                     "what it used and cost");
    do {
        spending.calls.push_back(
            read_served(ask(chat_call(kSandboxHost, stage_.team_key(), false))));
        const Served& call = spending.calls.back();
        print_.row(cost_row(spending.calls.size(), call, cost_of(call, spending)));
    } while (spending.calls.back().status == 200 && spending.calls.size() < kCallsToQuota);
    Call limits;
    limits.method = "GET";
    limits.host = "127.0.0.1";
    limits.target = "/api/v1/limits";
    spending.told = read_spent(client_.http(stage_.admin_port(), limits).body);
    Check check = check_budget(spending);
    check.claim = "answered until it was spent, to the nanodollar, then 429 without a provider";
    print_.verdict(check);
}

void Story::keys() {
    print_.step("What the providers saw");
    const auto& providers = stage_.providers();
    std::vector<Check> checks;
    for (std::size_t i = 0; i < providers.size(); ++i) {
        const auto requests = providers[i].mock->requests();
        std::vector<std::string> secrets = secrets_;
        secrets.push_back(providers[1 - i].key.substr(providers[1 - i].key.find(' ') + 1));
        checks.push_back(check_keys(requests, providers[i].key, secrets));
        print_.row(column(providers[i].name, kBackendWidth) +
                   column(std::to_string(requests.size()) + " requests", 14) + "Authorization: " +
                   std::string(requests.empty() ? std::string_view("?")
                                                : requests.back().header("authorization")));
    }
    print_.verdict(all_of("each got its own key alone, never the client's token", checks));
}

}  // namespace rotary::demo
