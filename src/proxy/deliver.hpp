#pragma once

#include <rotary/base/task.hpp>
#include <rotary/downstream/client.hpp>

namespace rotary::proxy {

// Writes all of it to the client, waiting for it as long as that may take. Faults: client_gone.
Task<Result<void>> deliver(downstream::Client& client, wire::Pieces& pieces, bool is_last);

}  // namespace rotary::proxy
