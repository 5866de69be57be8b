#include <rotary/wire/message.hpp>

#include <rotary/base/text.hpp>

#include <algorithm>

namespace rotary::wire {

namespace {

// Of one name, again and again.
class IsNamed {
public:
    explicit IsNamed(std::string_view name) noexcept : name_(name), field_(field_of(name)) {}
    bool operator()(const Header& header) const noexcept {
        return header.field == field_ &&
               (field_ != Field::other || text::iequals(header.name, name_));
    }

private:
    std::string_view name_;
    Field field_;
};

}  // namespace

const Header* HeaderTable::find(std::string_view name) const noexcept {
    const Header* const found = std::find_if(begin(), end(), IsNamed(name));
    return found == end() ? nullptr : found;
}

std::size_t HeaderTable::count(std::string_view name) const noexcept {
    return static_cast<std::size_t>(std::count_if(begin(), end(), IsNamed(name)));
}

void HeaderTable::note_connection(const Header& header) noexcept {
    if (text::iequals(header.value, "keep-alive") || text::iequals(header.value, "close")) return;
    names_hops_ = true;
}

}  // namespace rotary::wire
