#include "config/settings/read_tracing.hpp"

#include <rotary/base/percent.hpp>
#include <rotary/base/text.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

constexpr std::size_t kMostUrlBytes = 2048;
constexpr std::size_t kMostNameBytes = 256;
constexpr std::size_t kMostPairs = 32;
constexpr std::string_view kPath = "/v1/traces";

// http or https, a host, perhaps a port and a path. A query or a user is none of a collector's.
bool is_collector(std::string_view url) {
    if (url.empty()) return true;
    for (const std::string_view scheme : {"https://", "http://"}) {
        if (!url.starts_with(scheme)) continue;
        const std::string_view rest = url.substr(scheme.size());
        const bool is_plain = std::all_of(rest.begin(), rest.end(), [](char c) {
            return c > ' ' && c < 0x7f &&
                   std::string_view("@?#\\\"<>{}|^`").find(c) == std::string_view::npos;
        });
        return is_plain && !rest.empty() && rest.front() != '/' && rest.front() != ':';
    }
    return false;
}

constexpr TextRule kEndpoint{.max = kMostUrlBytes,
                             .fits = is_collector,
                             .shape = "be the URL of a collector, such as http://127.0.0.1:4318"};
constexpr TextRule kServiceName{.min = 1, .max = kMostNameBytes};

// A collector is named by its base, as OTEL_EXPORTER_OTLP_ENDPOINT does; a whole path is right too.
std::string with_path(std::string url) {
    if (url.empty() || url.ends_with(kPath)) return url;
    while (url.ends_with('/')) url.pop_back();
    return url.append(kPath);
}

std::optional<double> ratio_of(std::string_view text) {
    double value = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    const bool is_whole = error == std::errc{} && end == text.data() + text.size();
    if (!is_whole || !(value >= 0) || value > 1) return std::nullopt;
    return value;
}

bool is_ratio(std::string_view text) { return ratio_of(text).has_value(); }

constexpr TextRule kRatio{
    .min = 1, .max = 32, .fits = is_ratio, .shape = "be a number from 0 to 1, such as 0.05"};

void read_headers(Fields& fields, Tracing& tracing) {
    fields.each_pair(
        "headers", [&](const std::string& name, const std::string* value, const Mark& mark) {
            if (value == nullptr) return;
            if (!is_token(name) || name.size() > kMostNameBytes || !is_field_value(*value) ||
                tracing.headers.size() >= kMostPairs) {
                // The value may be a secret: it is not shown.
                fields.reading().findings.push_back(error_at(
                    mark, "must be a header line, at most " + std::to_string(kMostPairs) +
                              " of them: a name of letters, digits and dashes, and a value without "
                              "control characters"));
                return;
            }
            tracing.headers.push_back({name, Secret(*value)});
        });
}

// What is wrong with a line of headers_file; empty: nothing, and it is added.
std::string add_header_line(std::string_view line, Tracing& tracing) {
    const std::size_t colon = line.find(':');
    const std::string_view name = text::trim(line.substr(0, colon));
    const std::string_view value =
        colon == line.npos ? std::string_view{} : text::trim(line.substr(colon + 1));
    if (colon == line.npos || !is_token(name) || name.size() > kMostNameBytes || value.empty() ||
        !is_field_value(value)) {
        return "must be a header line, `name: value`";
    }
    for (const TracingHeader& header : tracing.headers) {
        if (text::iequals(header.name, name)) return "names a header that is there already";
    }
    if (tracing.headers.size() >= kMostPairs) {
        return "is one too many: at most " + std::to_string(kMostPairs) + " headers are sent";
    }
    tracing.headers.push_back({std::string(name), Secret(std::string(value))});
    return "";
}

// "key=value,key=value", percent-encoded, as OpenTelemetry writes lists into variables.
bool for_each_pair(std::string_view list,
                   const std::function<bool(std::string name, std::string value)>& visit) {
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(','), list.size());
        const std::string_view pair = text::trim(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
        if (pair.empty()) continue;
        const std::size_t equals = pair.find('=');
        if (equals == pair.npos || equals == 0) return false;
        const auto value = text::percent_decoded(text::trim(pair.substr(equals + 1)));
        if (!value || !visit(std::string(text::trim(pair.substr(0, equals))), *value)) return false;
    }
    return true;
}

class Variables {
public:
    Variables(FileReading& reading, Tracing& tracing) : reading_(reading), tracing_(tracing) {}

    std::string of(std::string_view name) const { return reading_.environment(name).value_or(""); }
    void refuse(std::string_view name, const char* why) {
        reading_.findings.push_back(error_at(tracing_.mark, std::string(name) + " " + why));
    }

    void add_endpoint() {
        if (!tracing_.endpoint.empty()) return;
        const std::string traces = of("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        const std::string base = of("OTEL_EXPORTER_OTLP_ENDPOINT");
        const std::string& url = traces.empty() ? base : traces;
        if (url.size() > kMostUrlBytes || !is_collector(url)) {
            refuse(traces.empty() ? "OTEL_EXPORTER_OTLP_ENDPOINT"
                                  : "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                   "must be the URL of a collector, such as http://127.0.0.1:4318");
            return;
        }
        tracing_.endpoint = traces.empty() ? with_path(base) : traces;
    }

    void add_headers() {
        if (!tracing_.headers.empty()) return;
        const bool is_read = for_each_pair(
            of("OTEL_EXPORTER_OTLP_HEADERS"), [&](std::string name, std::string value) {
                if (!is_token(name) || !is_field_value(value)) return false;
                tracing_.headers.push_back({std::move(name), Secret(std::move(value))});
                return tracing_.headers.size() <= kMostPairs;
            });
        if (!is_read) refuse("OTEL_EXPORTER_OTLP_HEADERS", "must be name=value,name=value");
    }

    void add_names() {
        const std::string service = of("OTEL_SERVICE_NAME");
        if (!service.empty() && tracing_.service_name == Tracing{}.service_name) {
            tracing_.service_name = service.substr(0, kMostNameBytes);
        }
        if (!tracing_.attributes.empty()) return;
        const bool is_read =
            for_each_pair(of("OTEL_RESOURCE_ATTRIBUTES"), [&](std::string name, std::string value) {
                tracing_.attributes.emplace_back(std::move(name), std::move(value));
                return tracing_.attributes.size() <= kMostPairs;
            });
        if (!is_read) refuse("OTEL_RESOURCE_ATTRIBUTES", "must be name=value,name=value");
    }

    // All that is served is parent based: what goes on does as its client says.
    void add_sampler() {
        const std::string sampler = of("OTEL_TRACES_SAMPLER");
        if (sampler.empty() || tracing_.sample_ratio != Tracing{}.sample_ratio) return;
        if (sampler == "parentbased_always_off") {
            tracing_.sample_ratio = 0;
        } else if (sampler == "parentbased_traceidratio") {
            const std::string text = of("OTEL_TRACES_SAMPLER_ARG");
            const auto ratio = text.empty() ? std::optional(1.0) : ratio_of(text);
            if (!ratio) {
                refuse("OTEL_TRACES_SAMPLER_ARG", "must be a number from 0 to 1, such as 0.05");
            }
            tracing_.sample_ratio = ratio.value_or(1.0);
        } else if (sampler != "parentbased_always_on") {
            refuse("OTEL_TRACES_SAMPLER",
                   "is not served: parentbased_always_on, parentbased_always_off and "
                   "parentbased_traceidratio are");
        }
    }

private:
    FileReading& reading_;
    Tracing& tracing_;
};

}  // namespace

void read_tracing(Fields& fields, Tracing& tracing) {
    tracing.mark = fields.mark();
    if (fields.text("endpoint", tracing.endpoint, kEndpoint)) {
        tracing.endpoint = with_path(std::move(tracing.endpoint));
    }
    read_headers(fields, tracing);
    tracing.headers_file_mark = fields.mark_of("headers_file");
    fields.path("headers_file", tracing.headers_file);
    tracing.ca_mark = fields.mark_of("ca");
    fields.path("ca", tracing.ca);
    fields.text("service_name", tracing.service_name, kServiceName);
    fields.each_pair(
        "attributes", [&](const std::string& name, const std::string* value, const Mark& mark) {
            if (value == nullptr) return;
            if (tracing.attributes.size() >= kMostPairs || name.size() > kMostNameBytes) {
                fields.reading().findings.push_back(
                    error_at(mark, "must be one of at most " + std::to_string(kMostPairs) +
                                       " attributes, its name of at most " +
                                       std::to_string(kMostNameBytes) + " bytes"));
                return;
            }
            tracing.attributes.emplace_back(name, *value);
        });
    std::string ratio;
    if (fields.text("sample_ratio", ratio, kRatio)) {
        tracing.sample_ratio = ratio_of(ratio).value_or(tracing.sample_ratio);
    }
}

void add_tracing_files(const NamedFiles& files, Tracing& tracing, std::vector<Finding>& findings) {
    const auto ca = files.find(tracing.ca);
    if (!tracing.ca.empty() && ca != files.end()) tracing.ca_pem = ca->second.reveal();
    const auto headers = files.find(tracing.headers_file);
    if (tracing.headers_file.empty() || headers == files.end()) return;
    std::string_view rest = headers->second.reveal();
    for (std::size_t number = 1; !rest.empty(); ++number) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        line = text::trim(line);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (line.empty() || line.front() == '#') continue;
        const std::string why = add_header_line(line, tracing);
        if (why.empty()) continue;
        findings.push_back(
            error_at(tracing.headers_file_mark,
                     tracing.headers_file + ": line " + std::to_string(number) + " " + why));
    }
}

void add_tracing_of_environment(FileReading& reading, Tracing& tracing) {
    Variables variables(reading, tracing);
    if (text::iequals(variables.of("OTEL_SDK_DISABLED"), "true")) {
        tracing.endpoint.clear();
        return;
    }
    variables.add_endpoint();
    if (tracing.endpoint.empty()) return;
    variables.add_headers();
    variables.add_names();
    variables.add_sampler();
}

}  // namespace rotary::config
