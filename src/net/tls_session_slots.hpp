#pragma once

#include "tls_session.hpp"

#include <rotary/net/tls.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

namespace rotary::net {

// The sessions that a worker's providers gave it, a slot each. Single-threaded.
class SessionSlots {
public:
    // The slot of this endpoint ("host:port"), a new one when it has none for this context: after a
    // reload the context differs, and what was verified by the old one counts no more. At most
    // `most` are kept, one at least.
    std::shared_ptr<SessionSlot> slot(const std::string& endpoint,
                                      const std::shared_ptr<const TlsContext>& context,
                                      std::size_t most);
    std::size_t size() const noexcept { return known_.size(); }

private:
    struct Known {
        std::weak_ptr<const TlsContext> context;
        std::shared_ptr<SessionSlot> slot;
    };
    std::unordered_map<std::string, Known> known_;
};

}  // namespace rotary::net
