#include "tls_session_slots.hpp"

#include <algorithm>

namespace rotary::net {

std::shared_ptr<SessionSlot> SessionSlots::slot(const std::string& endpoint,
                                                const std::shared_ptr<const TlsContext>& context,
                                                std::size_t most) {
    if (known_.size() >= std::max<std::size_t>(most, 1) && known_.find(endpoint) == known_.end()) {
        known_.erase(known_.begin());
    }
    Known& known = known_[endpoint];
    if (known.slot == nullptr || known.context.lock() != context) {
        known.slot = std::make_shared<SessionSlot>();
        known.context = context;
    }
    return known.slot;
}

}  // namespace rotary::net
