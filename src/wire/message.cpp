#include <rotary/wire/message.hpp>

#include <rotary/base/text.hpp>

namespace rotary::wire {

const Header* HeaderTable::find(std::string_view name) const noexcept {
    const Field known = field_of(name);
    if (known != Field::other) return find(known);
    for (const Header& header : *this) {
        if (header.field == Field::other && text::iequals(header.name, name)) return &header;
    }
    return nullptr;
}

std::size_t HeaderTable::count(std::string_view name) const noexcept {
    std::size_t found = 0;
    for (const Header& header : *this) {
        if (text::iequals(header.name, name)) ++found;
    }
    return found;
}

void HeaderTable::note_connection(const Header& header) noexcept {
    if (text::iequals(header.value, "keep-alive") || text::iequals(header.value, "close")) return;
    names_hops_ = true;
}

}  // namespace rotary::wire
