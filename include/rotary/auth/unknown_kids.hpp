#pragma once

#include <rotary/base/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::auth {

// Key names that a fetch was made for and did not bring: a client that goes on using one gets
// neither another fetch nor a wait. Owned by a worker and used on its thread alone. A key set's
// generation stands for its issuer too, so what was remembered of an older set is never found
// again. Only the name that a fetch was asked for is put here, at most one a fetch: a flood of
// invented names pushes nothing out.
class UnknownKids {
public:
    bool contains(std::uint64_t generation, std::string_view kid, SteadyTime now) const noexcept;
    // At most `limit` names of one set: the one that expires first leaves.
    struct Entry {
        std::uint64_t generation = 0;
        std::string kid;
        SteadyTime until;
    };
    void remember(Entry entry, SteadyTime now, std::size_t limit);

    std::size_t size() const noexcept { return entries_.size(); }

private:
    std::vector<Entry> entries_;
};

}  // namespace rotary::auth
