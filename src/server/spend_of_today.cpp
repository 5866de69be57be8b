#include "server/spend_of_today.hpp"

#include <rotary/control/ledger_file.hpp>

#include <exception>
#include <filesystem>
#include <limits>
#include <system_error>

namespace rotary::server {

std::optional<admin::CostOfToday::Sums> spend_since(const std::string& ledger, WallTime day,
                                                    Logger& log) {
    constexpr std::size_t kConsumer = 0;
    std::error_code error;
    if (ledger.empty() || !std::filesystem::exists(ledger, error)) return std::nullopt;
    admin::CostOfToday::Sums sums;
    try {
        control::LedgerFile file(ledger);
        file.read(quota::SpendKey::quarter_hour_of(day), std::numeric_limits<std::int64_t>::max(),
                  [&sums](const quota::SpendKey& key, const quota::Spend& spend) {
                      if (key.names[kConsumer].empty()) return;
                      sums[std::string(key.names[kConsumer])] +=
                          static_cast<std::uint64_t>(spend.nanos);
                  });
    } catch (const std::exception& failure) {
        log.warn("what today has cost is not known: it is told since the start",
                 {{"error", failure.what()}});
        return std::nullopt;
    }
    return sums;
}

}  // namespace rotary::server
