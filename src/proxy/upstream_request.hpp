#pragma once

#include "proxy/exchange.hpp"

#include <array>
#include <string>
#include <string_view>

namespace rotary::proxy {

// Step 6: a request as it goes to one Backend, as pieces that are written one after the other. The
// body is not copied: what stands before the model, the model, what stands after it.
class UpstreamRequest {
public:
    std::array<std::string_view, 8> pieces;  // the head first
    bool ok = true;                          // false: the head did not fit

    void add(std::string_view piece) noexcept { pieces[size_++] = piece; }

private:
    std::size_t size_ = 1;
};

// Writes the head into the worker's scratch. The pieces lead there, into the exchange's body and
// into the snapshot: valid until the next await unless `keep` holds the head meanwhile.
UpstreamRequest write_upstream_request(Context& context, const Exchange& exchange);

}  // namespace rotary::proxy
