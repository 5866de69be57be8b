#include "proxy/try_log.hpp"

#include <rotary/wire/problem.hpp>

namespace rotary::proxy {

void log_try(Context& context, const Exchange& exchange, std::uint16_t status, const Fault& fault,
             std::chrono::nanoseconds took) {
    if (!context.log.enabled(LogLevel::debug)) return;
    const std::chrono::duration<double, std::milli> milliseconds = took;
    const std::string_view entry =
        exchange.entry() == nullptr ? std::string_view{} : std::string_view(exchange.entry()->id);
    const bool failed = fault.kind != FaultKind::none;
    context.log.debug("try", {{"request_id", exchange.request_id()},
                              {"attempt", exchange.tries.attempts},
                              {"entry", entry},
                              {"backend", exchange.backend()->name},
                              {"status", status},
                              {"fault", failed ? wire::problem_of(fault.kind).code : ""},
                              {"detail", fault.detail},
                              {"milliseconds", milliseconds.count()},
                              {"reused_connection", exchange.tries.reused_connection}});
}

}  // namespace rotary::proxy
