#include <rotary/quota/money_text.hpp>

#include <algorithm>
#include <cstdint>

namespace rotary::quota {

std::string_view write_money(Nanos nanos, MoneyText& text) noexcept {
    constexpr std::size_t kDigits = 9;  // behind the point
    constexpr std::size_t kShown = 2;   // at least
    auto rest = static_cast<std::uint64_t>(std::max<Nanos>(nanos, 0));
    std::size_t begin = text.size();
    std::size_t end = text.size();
    bool is_shown = false;
    for (std::size_t digit = kDigits; digit > 0; --digit) {
        const char c = static_cast<char>('0' + rest % 10);
        rest /= 10;
        is_shown = is_shown || c != '0' || digit <= kShown;
        if (!is_shown) {
            --end;
        }
        text[--begin] = c;
    }
    text[--begin] = '.';
    do {
        text[--begin] = static_cast<char>('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    return {text.data() + begin, end - begin};
}

}  // namespace rotary::quota
