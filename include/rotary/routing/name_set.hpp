#pragma once

#include <rotary/base/text.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::routing {

// Names of headers or parameters, without regard to letter case. Whether one is among them costs no
// more among thousands; most are told by their length alone. Compiled with the snapshot; then
// immutable, any thread.
class NameSet {
public:
    NameSet() = default;
    NameSet(std::initializer_list<std::string_view> names) {
        for (const std::string_view name : names) insert(name);
    }

    void insert(std::string_view name);  // an empty one is none
    std::size_t size() const noexcept { return names_.size(); }

    bool contains(std::string_view name) const noexcept {
        return (sizes_ & size_bit(name.size())) != 0 && holds(Plain{name});
    }
    // The same of a name that is written in another way: next() says its bytes, -1 at their end.
    template <class Bytes>
    bool holds(const Bytes& name) const noexcept {
        if (names_.empty()) return false;
        std::uint32_t hash = kSeed;
        std::size_t size = 0;
        Bytes bytes = name;
        for (int c = bytes.next(); c >= 0; c = bytes.next(), ++size) hash = mixed(hash, c);
        if ((sizes_ & size_bit(size)) == 0) return false;
        for (std::size_t slot = hash;; ++slot) {
            const std::uint32_t number = slots_[slot & (slots_.size() - 1)];
            if (number == 0) return false;
            if (same(name, names_[number - 1])) return true;
        }
    }

private:
    struct Plain {
        std::string_view rest;
        int next() noexcept {
            if (rest.empty()) return -1;
            const char c = rest.front();
            rest.remove_prefix(1);
            return static_cast<unsigned char>(c);
        }
    };

    static constexpr std::uint32_t kSeed = 2166136261U;  // FNV-1a's

    static std::uint64_t size_bit(std::size_t size) noexcept {
        return std::uint64_t{1} << std::min<std::size_t>(size, 63);
    }
    static std::uint32_t mixed(std::uint32_t hash, int c) noexcept {
        const char lower = text::lower(static_cast<char>(c));
        return (hash ^ static_cast<unsigned char>(lower)) * 16777619U;
    }
    template <class Bytes>
    static bool same(Bytes bytes, const std::string& name) noexcept {
        for (const char c : name) {
            const int other = bytes.next();
            if (other < 0 || text::lower(static_cast<char>(other)) != c) return false;
        }
        return bytes.next() < 0;
    }
    void place(std::size_t number);

    std::vector<std::string> names_;    // lower case
    std::vector<std::uint32_t> slots_;  // by hash: 1 + the place in names_; 0: free
    std::uint64_t sizes_ = 0;           // a bit for each length that a name has; 63: or more
};

}  // namespace rotary::routing
