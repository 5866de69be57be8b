#pragma once

#include "tools/admin_client.hpp"

#include <string>

namespace rotary::tools {

// What `rotary top` shows, until q or a signal; the exit code.
int run_top(const AdminPlace& place);
// Once, as a table or as JSON.
int print_top(const AdminPlace& place, bool as_json);

}  // namespace rotary::tools
