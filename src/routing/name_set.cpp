#include <rotary/routing/name_set.hpp>

#include <utility>

namespace rotary::routing {

void NameSet::insert(std::string_view name) {
    if (name.empty() || contains(name)) return;
    std::string lower(name);
    for (char& c : lower) c = text::lower(c);
    sizes_ |= size_bit(lower.size());
    names_.push_back(std::move(lower));
    if (names_.size() * 2 <= slots_.size()) return place(names_.size());
    slots_.assign(std::max<std::size_t>(8, slots_.size() * 2), 0);  // a power of two
    for (std::size_t number = 1; number <= names_.size(); ++number) place(number);
}

void NameSet::place(std::size_t number) {
    std::uint32_t hash = kSeed;
    for (const char c : names_[number - 1]) hash = mixed(hash, static_cast<unsigned char>(c));
    std::size_t slot = hash;
    while (slots_[slot & (slots_.size() - 1)] != 0) ++slot;
    slots_[slot & (slots_.size() - 1)] = static_cast<std::uint32_t>(number);
}

}  // namespace rotary::routing
