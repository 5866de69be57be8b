#include <rotary/proxy/access_log.hpp>
#include <rotary/wire/json_line.hpp>
#include <rotary/wire/json_writer.hpp>

#include <algorithm>

namespace rotary::proxy {

namespace {
constexpr std::size_t kFlushBytes = 65536;  // what one write(2) takes well
constexpr std::size_t kLineReserve = 4096;
constexpr std::size_t kLongest = 1024;  // of a value that the client chose

// Parts of the two totals are there when they are not 0.
void write_usage(wire::JsonLine& json, const llm::Usage& usage) {
    if (usage.source != llm::UsageSource::none) {
        json.number(R"(,"input_tokens":)", usage.input);
        json.number(R"(,"output_tokens":)", usage.output);
        const std::uint64_t written = usage.cache_write + usage.cache_write_long;
        if (usage.cached_read != 0) json.number(R"(,"cached_tokens":)", usage.cached_read);
        if (written != 0) json.number(R"(,"cache_write_tokens":)", written);
        if (usage.reasoning != 0) json.number(R"(,"reasoning_tokens":)", usage.reasoning);
    }
    json.string(R"(,"usage":)", to_string(usage.source));
}

std::string_view clipped(std::string_view text) noexcept { return text.substr(0, kLongest); }
}  // namespace

AccessLog::AccessLog(LogWriter* writer, AccessLogFormat format, std::size_t buffer_bytes)
    : writer_(writer),
      format_(writer == nullptr ? AccessLogFormat::off : format),
      flush_bytes_(std::min(buffer_bytes, kFlushBytes)) {
    if (format_ != AccessLogFormat::off) buffer_.reserve(flush_bytes_ + kLineReserve);
}

void AccessLog::write(const AccessLine& line) {
    if (format_ == AccessLogFormat::off) return;
    if (format_ == AccessLogFormat::json) {
        write_json(line);
    } else {
        write_text(line);
    }
    if (buffer_.size() >= flush_bytes_) flush();
}

void AccessLog::flush() {
    if (buffer_.empty()) return;
    writer_->submit(buffer_);
    if (buffer_.capacity() < flush_bytes_ + kLineReserve) {
        buffer_.reserve(flush_bytes_ + kLineReserve);
    }
}

void AccessLog::write_json(const AccessLine& line) {
    TimestampBuffer timestamp;
    wire::JsonLine json(buffer_);
    const auto optional = [&](const auto& name, std::string_view value) {
        if (!value.empty()) json.string(name, clipped(value));
    };
    const auto boolean = [&](const auto& name, bool value) {
        json.raw(name);
        value ? json.raw("true") : json.raw("false");
    };
    json.string(R"({"start_time":)", format_timestamp(line.start, timestamp));
    json.string(R"(,"method":)", clipped(line.method));
    json.string(R"(,"request.path":)", clipped(line.path));
    json.number(R"(,"response_code":)", line.status);
    json.milliseconds(R"(,"duration_ms":)", line.duration);
    if (line.first_byte.count() > 0) json.milliseconds(R"(,"ttft_ms":)", line.first_byte);
    const auto overhead = std::chrono::duration_cast<std::chrono::microseconds>(line.overhead);
    json.number(R"(,"overhead_us":)", static_cast<std::uint64_t>(overhead.count()));
    json.number(R"(,"bytes_received":)", line.bytes_received);
    json.number(R"(,"bytes_sent":)", line.bytes_sent);
    optional(R"(,"host":)", line.host);
    optional(R"(,"client_address":)", line.client_address);
    optional(R"(,"sub":)", line.subject);
    optional(R"(,"consumer":)", line.consumer);
    optional(R"(,"key_id":)", line.key_id);
    boolean(R"(,"stream":)", line.stream);
    optional(R"(,"user-agent":)", line.user_agent);
    json.string(R"(,"request_id":)", line.request_id);
    optional(R"(,"x-request-id":)", line.client_request_id);
    optional(R"(,"trace_id":)", line.trace_id);
    optional(R"(,"x-stainless-retry-count":)", line.retry_count);
    optional(R"(,"api":)", line.api);
    optional(R"(,"policy":)", line.policy);
    optional(R"(,"env":)", line.environment);
    optional(R"(,"gen_ai.provider.name":)", line.provider);
    optional(R"(,"gen_ai.original.model":)", line.original_model);
    optional(R"(,"gen_ai.request.model":)", line.request_model);
    optional(R"(,"gen_ai.response.model":)", line.response_model);
    optional(R"(,"backend":)", line.backend);
    optional(R"(,"upstream_host":)", line.upstream_host);
    optional(R"(,"upstream_request_id":)", line.upstream_request_id);
    json.number(R"(,"attempts":)", line.attempts);
    if (line.attempts > 0) write_usage(json, line.usage);
    if (line.cost) json.number(R"(,"cost_nd":)", static_cast<std::uint64_t>(*line.cost));
    if (line.attempts > 0) boolean(R"(,"reused_connection":)", line.reused_connection);
    optional(R"(,"limit":)", line.limit);
    optional(R"(,"error.code":)", line.error_code);
    optional(R"(,"error.reason":)", line.error_reason);
    json.end();
}

void AccessLog::write_text(const AccessLine& line) {
    TimestampBuffer timestamp;
    buffer_.append(format_timestamp(line.start, timestamp)).push_back(' ');
    // What a client wrote goes out as a JSON string: no line break or escape sequence gets through.
    wire::JsonWriter(buffer_).string(clipped(line.method));
    buffer_.push_back(' ');
    wire::JsonWriter(buffer_).string(clipped(line.path));
    buffer_.push_back(' ');
    wire::JsonWriter(buffer_).number(line.status);
    buffer_.push_back(' ');
    wire::JsonWriter(buffer_).milliseconds(line.duration);
    buffer_.append("ms ");
    buffer_.append(line.request_model.empty() ? std::string_view{"-"} : line.request_model);
    buffer_.push_back('@');
    buffer_.append(line.backend.empty() ? std::string_view{"-"} : line.backend);
    buffer_.push_back(' ');
    buffer_.append(line.client_address.empty() ? std::string_view{"-"} : line.client_address);
    if (!line.error_code.empty()) buffer_.append(" ").append(line.error_code);
    if (!line.error_reason.empty()) {
        buffer_.push_back(' ');
        wire::JsonWriter(buffer_).string(line.error_reason);
    }
    buffer_.append(" ").append(line.request_id).push_back('\n');
}

}  // namespace rotary::proxy
