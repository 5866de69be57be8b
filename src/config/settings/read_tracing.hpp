#pragma once

#include <rotary/config/kinds/resources.hpp>
#include <rotary/config/settings/settings.hpp>
#include "config/yaml/fields.hpp"

namespace rotary::config {

void read_tracing(Fields& fields, Tracing& tracing);

// What OpenTelemetry's variables say, where the file says nothing: OTEL_EXPORTER_OTLP_ENDPOINT and
// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS, OTEL_SERVICE_NAME,
// OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER with its _ARG. OTEL_SDK_DISABLED=true goes before
// all of them and before the file. One that can't be served is an error at `tracing`.
void add_tracing_of_environment(FileReading& reading, Tracing& tracing);

// Adds what the files hold that are named: `headers_file` a header a line, `name: value`, with
// empty lines and comments (#) between them; `ca` certificates. Wrong lines are errors at the key,
// which tell the line and never its text.
void add_tracing_files(const NamedFiles& files, Tracing& tracing, std::vector<Finding>& findings);

}  // namespace rotary::config
