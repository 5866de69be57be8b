#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace rotary::server {

// A file's text by its path; empty when it can't be read.
using FileText = std::function<std::string(const std::string& path)>;

// Whole CPUs' worth of time that the control groups of this process leave it, version 1 and 2: the
// least over its own group and all above it. Rounded down, as event loops that together want more
// than the quota are all stopped for the rest of its period, but at least 1. Nothing: no bound.
std::optional<std::size_t> quota_cpus(const FileText& read);

// The CPUs that this process may use: those it may run on, or fewer where a quota says so.
std::size_t usable_cpus();

}  // namespace rotary::server
