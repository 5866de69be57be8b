#include "proxy/try_log.hpp"

#include <rotary/wire/problem.hpp>

#include <algorithm>

namespace rotary::proxy {

void log_try(Context& context, const Exchange& exchange, const TryEnd& end) {
    const bool is_wanted = exchange.snapshot().config.log.tries;
    if (!is_wanted && !context.log.enabled(LogLevel::debug)) return;
    const LogLevel level =
        is_wanted ? std::max(LogLevel::info, context.log.level()) : LogLevel::debug;
    const std::chrono::duration<double, std::milli> milliseconds = end.took;
    const std::string_view entry =
        exchange.entry() == nullptr ? std::string_view{} : std::string_view(exchange.entry()->id);
    const bool failed = end.fault.kind != FaultKind::none;
    context.log.log(level, "try",
                    {{"request_id", exchange.request_id()},
                     {"attempt", exchange.tries.attempts},
                     {"entry", entry},
                     {"backend", exchange.backend()->name},
                     {"status", end.status},
                     {"fault", failed ? wire::problem_of(end.fault.kind).code : ""},
                     {"detail", end.fault.detail},
                     {"milliseconds", milliseconds.count()},
                     {"reused_connection", exchange.tries.reused_connection}});
}

}  // namespace rotary::proxy
