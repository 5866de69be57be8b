#pragma once

#include <rotary/wire/field.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace rotary::routing {

struct Snapshot;

// What a header's name alone settles about whether it goes on. `asks`: nothing, the line must be
// looked at with what the route and the exchange say of it.
enum class Passage : std::uint8_t { asks, goes, stays };

// Of each name that is known; of `other` ones nothing is.
class Passages {
public:
    Passage of(wire::Field field) const noexcept { return of_[wire::index(field)]; }
    void set(wire::Field field, Passage passage) noexcept {
        if (field != wire::Field::other) of_[wire::index(field)] = passage;
    }
    // Of a name that the configuration holds: it asks from now on.
    void ask(std::string_view name) noexcept { set(wire::field_of(name), Passage::asks); }

private:
    std::array<Passage, wire::kFields> of_{};
};

// For each of its routes, once all that says something of names is in it. Control thread.
void settle_passages(Snapshot& snapshot);

}  // namespace rotary::routing
