#pragma once

#include <rotary/proxy/request_ring.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace rotary::admin {

// What /api/v1/requests shows: the newest of all workers first, each with its tries.
std::string requests_json(const std::vector<proxy::RequestRecord>& records, std::size_t most);

}  // namespace rotary::admin
