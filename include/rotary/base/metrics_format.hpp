#pragma once

#include <cstdint>
#include <string_view>

namespace rotary::metrics {

// How a page is written: Prometheus text format 0.0.4, or OpenMetrics 1.0, which has exemplars.
enum class Format : std::uint8_t { text, open_metrics };

// What an Accept header asks for; text where it asks for nothing that is known.
Format format_for(std::string_view accept) noexcept;
std::string_view content_type(Format format) noexcept;

}  // namespace rotary::metrics
