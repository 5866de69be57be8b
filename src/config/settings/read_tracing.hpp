#pragma once

#include <rotary/config/settings/settings.hpp>
#include "config/yaml/fields.hpp"

namespace rotary::config {

void read_tracing(Fields& fields, Tracing& tracing);

// What OpenTelemetry's variables say, where the file says nothing: OTEL_EXPORTER_OTLP_ENDPOINT and
// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS, OTEL_SERVICE_NAME,
// OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER with its _ARG. OTEL_SDK_DISABLED=true goes before
// all of them and before the file. One that can't be served is an error at `tracing`.
void add_tracing_of_environment(FileReading& reading, Tracing& tracing);

}  // namespace rotary::config
