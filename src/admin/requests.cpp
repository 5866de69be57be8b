#include <rotary/admin/requests.hpp>

#include <rotary/wire/json_writer.hpp>
#include <rotary/wire/problem.hpp>

#include <algorithm>
#include <string_view>

namespace rotary::admin {

namespace {

using proxy::RequestRecord;

std::string_view effect_name(rotation::Effect effect) noexcept {
    switch (effect) {
        case rotation::Effect::none:
            return "none";
        case rotation::Effect::suspend_entry:
            return "suspended";
        case rotation::Effect::suspend_credential:
            return "credential suspended";
        case rotation::Effect::count_failure:
            return "failure counted";
        case rotation::Effect::put_out_entry:
            return "put out";
        case rotation::Effect::put_out_credential:
            return "credential put out";
    }
    return "none";
}

void write_fault(wire::JsonWriter& json, FaultKind fault) {
    if (fault != FaultKind::none) json.string("error", wire::problem_of(fault).code);
}

void write_try(wire::JsonWriter& json, const RequestRecord& record, const RequestRecord::Try& one) {
    json.begin_object();
    if (one.model.size != 0) json.string("model", record.words(one.model));
    json.string("backend", record.words(one.backend))
        .number("status", one.status)
        .milliseconds("after_ms", one.started)
        .milliseconds("head_ms", one.head)
        .milliseconds("took_ms", one.took);
    write_fault(json, one.fault);
    if (one.failure != rotation::Failure::none) {
        json.string("failure", rotation::to_string(one.failure));
    }
    if (one.effect != rotation::Effect::none) json.string("effect", effect_name(one.effect));
    json.boolean("probe", one.is_probe)
        .boolean("reused_connection", one.reused_connection)
        .boolean("failed_over", one.failed_over)
        .end_object();
}

void write_names(wire::JsonWriter& json, const RequestRecord& record) {
    const auto name = [&](std::string_view key, RequestRecord::Words words) {
        if (words.size != 0) json.string(key, record.words(words));
    };
    name("method", record.method);
    name("path", record.path);
    name("host", record.host);
    name("consumer", record.consumer);
    name("api", record.api);
    name("env", record.environment);
    name("client_model", record.client_model);
    name("model", record.model);
    name("backend", record.backend);
    name("limit", record.limit);
}

void write_record(wire::JsonWriter& json, const RequestRecord& record) {
    TimestampBuffer time;
    json.begin_object()
        .string("time", format_timestamp(record.started, time))
        .string("id", {record.id.data(), record.id.size()});
    write_names(json, record);
    json.number("status", record.status)
        .boolean("stream", record.stream)
        .milliseconds("duration_ms", record.duration)
        .milliseconds("ttft_ms", record.first_byte)
        .milliseconds("overhead_ms", record.overhead)
        .number("attempts", record.attempts)
        .number("input_tokens", record.input_tokens)
        .number("output_tokens", record.output_tokens);
    if (record.cost) json.number("cost_nd", *record.cost);
    write_fault(json, record.fault);
    if (record.reason[0] != '\0') json.string("reason", record.reason);
    json.begin_array("tries");
    for (std::size_t i = 0; i < record.tries_kept; ++i) write_try(json, record, record.tries[i]);
    json.end_array().number("tries_not_shown", record.missed_tries).end_object();
}

}  // namespace

std::string requests_json(const std::vector<RequestRecord>& records, std::size_t most) {
    std::vector<const RequestRecord*> order;
    for (const RequestRecord& record : records) order.push_back(&record);
    std::stable_sort(order.begin(), order.end(), [](const auto* one, const auto* other) {
        return one->started + one->duration > other->started + other->duration;
    });
    std::string out;
    wire::JsonWriter json(out);
    json.begin_object().begin_array("requests");
    for (std::size_t i = 0; i < std::min(order.size(), most); ++i) write_record(json, *order[i]);
    json.end_array().end_object();
    out.push_back('\n');
    return out;
}

}  // namespace rotary::admin
