#include <rotary/proxy/access_log.hpp>
#include <rotary/wire/json_writer.hpp>

#include <algorithm>

namespace rotary::proxy {

namespace {
constexpr std::size_t kFlushBytes = 65536;  // what one write(2) takes well
constexpr std::size_t kLineReserve = 4096;
constexpr std::size_t kLongest = 1024;  // of a value that the client chose

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
    wire::JsonWriter json(buffer_);
    const auto optional = [&](std::string_view key, std::string_view value) {
        if (!value.empty()) json.string(key, clipped(value));
    };
    json.begin_object()
        .string("start_time", format_timestamp(line.start, timestamp))
        .string("method", clipped(line.method))
        .string("request.path", clipped(line.path))
        .number("response_code", line.status)
        .milliseconds("duration_ms", line.duration);
    if (line.first_byte.count() > 0) json.milliseconds("ttft_ms", line.first_byte);
    json.number("overhead_us",
                std::chrono::duration_cast<std::chrono::microseconds>(line.overhead).count())
        .number("bytes_received", line.bytes_received)
        .number("bytes_sent", line.bytes_sent);
    optional("host", line.host);
    optional("client_address", line.client_address);
    optional("sub", line.subject);
    json.boolean("stream", line.stream);
    optional("user-agent", line.user_agent);
    json.string("request_id", line.request_id);
    optional("x-request-id", line.client_request_id);
    optional("x-stainless-retry-count", line.retry_count);
    optional("api", line.api);
    optional("policy", line.policy);
    optional("env", line.environment);
    optional("gen_ai.provider.name", line.provider);
    optional("gen_ai.original.model", line.original_model);
    optional("gen_ai.request.model", line.request_model);
    optional("backend", line.backend);
    optional("upstream_host", line.upstream_host);
    optional("upstream_request_id", line.upstream_request_id);
    json.number("attempts", line.attempts);
    if (line.attempts > 0) json.boolean("reused_connection", line.reused_connection);
    optional("error.code", line.error_code);
    optional("error.reason", line.error_reason);
    json.end_object();
    buffer_.push_back('\n');
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
