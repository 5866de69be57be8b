#include <demo/rows.hpp>

#include <rotary/quota/money_text.hpp>

namespace rotary::demo {

std::string column(std::string_view text, std::size_t width) {
    std::string out(text);
    if (out.size() < width) out.append(width - out.size(), ' ');
    return out;
}

std::string call_titles() {
    return column("call", 6) + column("model", kModelWidth) + column("backend", kBackendWidth) +
           column("status", 8) + column("attempts", 10) + "the answer names";
}

std::string call_row(std::size_t number, const Served& call) {
    return column(std::to_string(number), 6) + column(call.model, kModelWidth) +
           column(call.backend, kBackendWidth) + column(std::to_string(call.status), 8) +
           column(std::to_string(call.attempts), 10) + call.named;
}

std::string cost_row(std::size_t number, const Served& call, std::int64_t nanos) {
    quota::MoneyText text;
    std::string row = column(std::to_string(number), 6) + column(call.model, kModelWidth) +
                      column(std::to_string(call.status), 8);
    if (call.status != 200) return row + call.error_code;
    return row + std::to_string(call.input) + " in, " + std::to_string(call.output) + " out, " +
           std::string(quota::write_money(nanos, text)) + " USD";
}

std::string model_row(const ModelState& model) {
    std::string state = model.state;
    if (model.seconds_left > 0) {
        state += ", " + model.reason + ", " + std::to_string(model.seconds_left) + " s left";
    }
    return column(model.environment, 12) + column(model.model, kModelWidth) +
           column(model.backend, kBackendWidth) + state;
}

}  // namespace rotary::demo
