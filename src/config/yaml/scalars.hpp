#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <rotary/config/settings/settings.hpp>

namespace rotary::config {

// Decimal digits with an optional minus and nothing else: no plus, no leading zero (YAML 1.1 reads
// 010 as 8), no hexadecimal, no exponent, no separators.
std::optional<long long> parse_integer(std::string_view text);

// Seconds ("5", "0.25") or a number with its unit: ms, s, m, h. Not negative, at most 10 years,
// whole milliseconds.
std::optional<Duration> parse_duration(std::string_view text);

// The shortest way to write it that parse_duration() takes: 500ms, 30s, 5m, 1h.
std::string shown_duration(Duration duration);

// RFC 4648, section 4: the standard alphabet, padded, the unused bits zero. Line feeds are
// skipped, because `base64` without -w0 wraps its lines.
std::optional<std::string> decode_base64(std::string_view text);

bool is_host_name(std::string_view text);    // RFC 1123, section 2.1; underscores allowed
bool is_ip_address(std::string_view text);   // IPv4, or IPv6 without brackets
bool is_ip_range(std::string_view text);     // an IP address, or with a length: 10.0.0.0/8
bool is_name_server(std::string_view text);  // an IP address, or with a port: 1.1.1.1:53, [::1]:53
bool is_object_name(std::string_view text);  // Kubernetes: lower case letters, digits, '-' and '.'
bool is_currency(std::string_view text);     // ISO 4217: three capital letters
bool is_token(std::string_view text);        // RFC 9110, section 5.6.2: a header's name
bool is_field_value(std::string_view text);  // a header's value: no control characters but the tab

// How a piece of the configuration is shown in a message: quoted, one line, cut where it is long.
std::string shown(std::string_view text);

// A path as written in a file that lies in the folder, ready to be opened.
std::string resolve_path(const std::string& folder, const std::string& path);

}  // namespace rotary::config
