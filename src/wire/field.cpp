#include <rotary/wire/field.hpp>

namespace rotary::wire {

namespace {

// Whether eight letters are those of a known name but for their case. Those of known names have the
// case bit all, digits and hyphens too: where a letter of theirs is none, the bit must be there.
bool same(std::uint64_t word, std::uint64_t known) noexcept {
    const std::uint64_t letters = known >> 1 & fields::kCaseBits;
    return ((word ^ known) & ~letters) == 0;
}

}  // namespace

Field field_of(std::string_view name) noexcept {
    const fields::Key key = fields::key_of(name);
    const std::uint8_t number =
        fields::kTable.numbers[fields::place_of(key, fields::kTable.factor)];
    if (number == 0) return Field::other;
    const fields::Key& known = fields::kTable.keys[number - 1U];
    if (key.size != known.size || !same(key.first, known.first) || !same(key.last, known.last)) {
        return Field::other;
    }
    const std::string_view text = fields::kNames[number - 1U];
    for (std::size_t at = 8; at + 8 < key.size; at += 8) {
        if (!same(fields::word_at(name, at, 8), fields::word_at(text, at, 8))) return Field::other;
    }
    return Field{number};
}

}  // namespace rotary::wire
