#pragma once

#include "tools/admin_client.hpp"
#include "tools/top_screen.hpp"

#include <string>

namespace rotary::tools {

// What `rotary top` shows, until q or a signal; the exit code.
int run_top(const AdminPlace& place);
// Once, as a table or as JSON.
int print_top(const AdminPlace& place, bool as_json);

// A snapshot on standard output, however wide a terminal is.
void print_page(const TopSnapshot& snapshot);

}  // namespace rotary::tools
