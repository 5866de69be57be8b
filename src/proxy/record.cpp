#include "proxy/record.hpp"

#include <rotary/proxy/observer.hpp>

namespace rotary::proxy {

void record(Context& context, const Exchange& exchange) {
    const SteadyTime now = context.reactor.exact_now();
    for (Observer* observer : context.observers) {
        if (observer != nullptr) observer->record(exchange, now);
    }
}

}  // namespace rotary::proxy
