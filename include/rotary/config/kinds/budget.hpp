#pragma once

#include <cstdint>
#include <string>

#include <rotary/config/kinds/common.hpp>

namespace rotary::config {

enum class BudgetPeriod : std::uint8_t { day, week, month, quarter, year, total };

// How much a consumer, a subscription or an API may spend in a period of the calendar.
struct Budget {
    enum class Target : std::uint8_t { consumer, subscription, api };
    Metadata metadata;
    Target target_kind = Target::consumer;
    std::string target;  // a consumer's name, or an object's identity
    Mark target_mark;
    std::int64_t nanos = 0;  // 10^-9 of the currency
    Mark amount_mark;
    std::int64_t soft_nanos = 0;  // from so much on it warns; 0: it does not
    std::string currency;
    Mark currency_mark;
    BudgetPeriod period = BudgetPeriod::month;
    std::string time_zone = "UTC";  // of the tz database
    Mark time_zone_mark;
    unsigned first_month = 1;  // in which years begin, and quarters with it
    bool warns = false;        // in place of refusing
};

}  // namespace rotary::config
