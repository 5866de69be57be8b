#include <demo/check.hpp>

#include <rotary/base/text.hpp>
#include <rotary/wire/json_document.hpp>

#include <algorithm>
#include <utility>

namespace rotary::demo {

namespace {

Check failed(std::string expected, std::string came) {
    return {{}, false, std::move(expected), std::move(came)};
}

std::string text_of(const std::optional<wire::JsonValue>& value) {
    return value && value->string() ? std::string(*value->string()) : std::string();
}

std::int64_t number_of(const std::optional<wire::JsonValue>& value) {
    return value ? value->integer().value_or(0) : 0;
}

std::string show(const Served& call) {
    std::string out = std::to_string(call.status);
    if (!call.error_code.empty()) out += " " + call.error_code;
    if (!call.model.empty()) out += " by " + call.model + " at " + call.backend;
    if (call.attempts != 0) out += ", attempt " + std::to_string(call.attempts);
    return out;
}

std::string numbered(std::size_t index, const std::string& what) {
    return "call " + std::to_string(index + 1) + ": " + what;
}

bool holds_each_once(const Served* calls, const std::vector<std::string>& models) {
    return std::all_of(models.begin(), models.end(), [&](const std::string& model) {
        return std::count_if(calls, calls + models.size(),
                             [&](const Served& call) { return call.model == model; }) == 1;
    });
}

bool mentions(const mock::Captured& request, std::string_view secret) {
    const auto in = [&](std::string_view text) {
        return text.find(secret) != std::string_view::npos;
    };
    return in(request.target) || in(request.body) ||
           std::any_of(request.headers.begin(), request.headers.end(),
                       [&](const auto& header) { return in(header.first) || in(header.second); });
}

}  // namespace

Check all_of(std::string claim, const std::vector<Check>& checks) {
    Check sum;
    const auto bad = std::find_if(checks.begin(), checks.end(), [](auto& c) { return !c.held; });
    if (bad != checks.end()) sum = *bad;
    sum.claim = std::move(claim);
    return sum;
}

Served read_served(const Answer& answer) {
    Served call;
    call.status = answer.status;
    call.model = answer.header("x-rotary-model");
    call.backend = answer.header("x-rotary-backend");
    call.attempts =
        static_cast<unsigned>(text::parse_unsigned(answer.header("x-rotary-attempts")).value_or(0));
    const auto body = wire::JsonDocument::parse(answer.body);
    if (!body) return call;
    call.named = text_of(body->root().find("model"));
    if (const auto error = body->root().find("error")) {
        call.error_code = text_of(error->find("code"));
    }
    if (const auto usage = body->root().find("usage")) {
        call.input = number_of(usage->find("prompt_tokens"));
        call.output = number_of(usage->find("completion_tokens"));
    }
    return call;
}

std::vector<ModelState> read_models(std::string_view json) {
    std::vector<ModelState> models;
    const auto document = wire::JsonDocument::parse(json);
    if (!document) return models;
    const auto list = document->root().find("models");
    if (!list) return models;
    for (const wire::JsonValue entry : list->elements()) {
        const auto left = entry.find("seconds_left");
        models.push_back({text_of(entry.find("env")), text_of(entry.find("model")),
                          text_of(entry.find("backend")), text_of(entry.find("state")),
                          text_of(entry.find("reason")), left ? left->integer().value_or(0) : 0});
    }
    return models;
}

std::optional<ModelState> find_model(const std::vector<ModelState>& models,
                                     std::string_view environment, std::string_view model) {
    const auto found = std::find_if(models.begin(), models.end(), [&](const ModelState& entry) {
        return entry.environment == environment && entry.model == model;
    });
    if (found == models.end()) return std::nullopt;
    return *found;
}

std::int64_t cost_of(const Served& call, const Spending& spending) {
    return call.input * spending.input_rate + call.output * spending.output_rate;
}

Check check_budget(const Spending& spending) {
    std::int64_t spent = 0;
    for (std::size_t i = 0; i < spending.calls.size(); ++i) {
        const Served& call = spending.calls[i];
        const bool is_last = i + 1 == spending.calls.size();
        if (spent >= spending.budget) {
            const bool refused = call.status == 429 && call.error_code == "cost_budget_exceeded";
            if (!refused) return failed("429 cost_budget_exceeded", numbered(i, show(call)));
            if (!is_last) return failed("no call behind it", numbered(i + 1, "one"));
        } else if (call.status != 200 || cost_of(call, spending) <= 0) {
            return failed("200 and what it used", numbered(i, show(call)));
        } else if (is_last) {
            return failed("calls until the budget is spent", numbered(i, "the last one"));
        }
        spent += call.status == 200 ? cost_of(call, spending) : 0;
    }
    if (spending.told != spent) {
        return failed(std::to_string(spent) + " nanodollars spent",
                      spending.told ? std::to_string(*spending.told) : "no word of it");
    }
    return {};
}

std::optional<std::int64_t> read_spent(std::string_view json) {
    const auto document = wire::JsonDocument::parse(json);
    if (!document) return std::nullopt;
    const auto list = document->root().find("limits");
    if (!list) return std::nullopt;
    std::optional<std::int64_t> most;
    for (const wire::JsonValue limit : list->elements()) {
        if (text_of(limit.find("counts")) != "nanodollars") continue;
        most = std::max(most.value_or(0), number_of(limit.find("used")));
    }
    return most;
}

Check check_refused(const Answer& answer, std::string_view code) {
    const Served call = read_served(answer);
    const std::string expected = "401 " + std::string(code);
    if (call.status != 401 || call.error_code != code) return failed(expected, show(call));
    if (answer.header("www-authenticate").empty()) {
        return failed(expected + " with WWW-Authenticate", "401 without it");
    }
    return {};
}

Check check_turns(const std::vector<Served>& calls, const std::vector<std::string>& models,
                  std::string_view suffix) {
    for (std::size_t i = 0; i < calls.size(); ++i) {
        const Served& call = calls[i];
        if (call.status != 200 || call.attempts != 1) {
            return failed("200 at attempt 1", numbered(i, show(call)));
        }
        const std::string name = call.model + std::string(suffix);
        if (call.named != name) {
            return failed(numbered(i, "an answer that names " + name),
                          call.named.empty() ? "one that names none" : call.named);
        }
    }
    if (calls.size() < models.size()) {
        return failed(std::to_string(models.size()) + " calls or more",
                      std::to_string(calls.size()));
    }
    for (std::size_t i = 0; i + models.size() <= calls.size(); ++i) {
        if (holds_each_once(&calls[i], models)) continue;
        std::string came;
        for (std::size_t j = i; j < i + models.size(); ++j) {
            came += (j == i ? "" : ", ") + calls[j].model;
        }
        return failed("each model once in any " + std::to_string(models.size()) + " calls",
                      "from " + numbered(i, came));
    }
    return {};
}

Check check_served_by(const Served& call, std::string_view model, std::string_view backend) {
    const Served wanted{200, std::string(model), std::string(backend), 1, {}, {}};
    const bool held =
        call.status == 200 && call.model == model && call.backend == backend && call.attempts == 1;
    return held ? Check{} : failed(show(wanted), show(call));
}

Check check_stream(const StreamSeen& stream, std::chrono::milliseconds interval) {
    if (stream.status != 200) return failed("status 200", std::to_string(stream.status));
    if (stream.events.size() < 3) {
        return failed("several events", std::to_string(stream.events.size()));
    }
    if (stream.events.back().data != "[DONE]") {
        return failed("[DONE] at the end", stream.events.back().data);
    }
    const auto took = stream.events.back().at - stream.events.front().at;
    const auto half = interval * (stream.events.size() - 1) / 2;
    if (took >= half) return {};
    return failed("events spread over " + std::to_string(half.count()) + " ms or more",
                  "all within " + std::to_string(took.count()) + " ms");
}

Check check_failed_over(const Served& call, std::string_view refused) {
    const bool held =
        call.status == 200 && call.attempts == 2 && !call.model.empty() && call.model != refused;
    if (held) return {};
    return failed("200 at attempt 2 by another model than " + std::string(refused), show(call));
}

Check check_suspended(const std::optional<ModelState>& model, std::chrono::seconds longest) {
    if (!model) return failed("an entry of this model", "none");
    if (model->state != "suspended" || model->reason != "rate_limited") {
        return failed("suspended, rate_limited", model->state + ", " + model->reason);
    }
    if (model->seconds_left >= 1 && model->seconds_left <= longest.count()) return {};
    return failed("1 to " + std::to_string(longest.count()) + " seconds left",
                  std::to_string(model->seconds_left));
}

Check check_state(const std::optional<ModelState>& model, std::string_view state) {
    if (model && model->state == state) return {};
    return failed(std::string(state), model ? model->state : "no such entry");
}

Check check_keys(const std::vector<mock::Captured>& requests, std::string_view key,
                 const std::vector<std::string>& secrets) {
    if (requests.empty()) return failed("some requests", "none");
    for (std::size_t i = 0; i < requests.size(); ++i) {
        const mock::Captured& request = requests[i];
        const auto keys = std::count_if(
            request.headers.begin(), request.headers.end(),
            [](const auto& header) { return text::iequals(header.first, "authorization"); });
        const std::string where = "request " + std::to_string(i + 1);
        if (keys != 1 || request.header("authorization") != key) {
            return failed("its own key alone", where + " had another, or none, or several");
        }
        const bool leaked = std::any_of(secrets.begin(), secrets.end(),
                                        [&](auto& secret) { return mentions(request, secret); });
        if (leaked) return failed("nobody else's secret", where + " held one");
    }
    return {};
}

}  // namespace rotary::demo
