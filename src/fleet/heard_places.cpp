// What SharedPlaces hears of the others' wishes, and does for them.
#include <rotary/fleet/shared_places.hpp>

#include <algorithm>
#include <utility>

namespace rotary::fleet {

void SharedPlaces::on_message(std::string_view message) {
    const auto wish = parse_wish(message);
    if (!wish || wish->replica == asker_.replica) return;
    const auto place = books_.find(wish->key);
    if (place == books_.end()) return;
    Book& book = place->second;
    if (wish->is_news) {
        if (book.share->is_of(wish->key)) book.share->refuse_until(SteadyTime());
        return;
    }
    const std::uint32_t count = table_.count(wish->key);
    const std::int64_t kept = PlaceRule{book.most, 0, asker_.replicas, 0, 0, 0}.kept();
    std::int64_t keeps = std::min(book.granted, count);
    if (wish->claim > 0 && keeps > kept) {
        const std::int64_t others = std::max<std::int64_t>(asker_.replicas, 2) - 1;
        keeps = std::max(kept, keeps - (wish->claim + others - 1) / others);
    }
    if (keeps >= book.granted) return;
    lower(wish->key, book, static_cast<std::uint32_t>(keeps));
    if (count > book.granted) {
        if (passing_.empty()) later(kPassing, &SharedPlaces::pass_on);
        passing_.push_back(wish->key);
    }
    pump();
}

// Requests end without a word to the control thread.
void SharedPlaces::pass_on() {
    std::vector<std::uint64_t> still;
    for (const std::uint64_t key : std::exchange(passing_, {})) {
        const auto place = books_.find(key);
        if (place == books_.end()) continue;
        Book& book = place->second;
        if (book.told > held(key, book)) queue(key, book);
        if (table_.count(key) > book.granted) still.push_back(key);
    }
    std::sort(still.begin(), still.end());
    still.erase(std::unique(still.begin(), still.end()), still.end());
    passing_ = std::move(still);
    if (!passing_.empty()) later(kPassing, &SharedPlaces::pass_on);
    pump();
}

}  // namespace rotary::fleet
