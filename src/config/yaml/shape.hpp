#pragma once

#include <cstddef>
#include <limits>
#include <list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rotary/config/settings/settings.hpp>

namespace rotary::config {

// What a text must look like. shape ends the sentence "must …" for fits.
struct TextRule {
    bool required = false;
    std::size_t min = 0;
    std::size_t max = std::numeric_limits<std::size_t>::max();  // bytes
    bool (*fits)(std::string_view) = nullptr;
    const char* shape = "";
};

struct NumberRule {
    long long min = std::numeric_limits<long long>::min();
    long long max = std::numeric_limits<long long>::max();
    bool required = false;
};

struct DurationRule {
    Duration min{0};
    Duration max = Duration::max();
};

struct ListRule {
    bool required = false;
    std::size_t min = 0;
    std::size_t max = std::numeric_limits<std::size_t>::max();
};

// What a reader asks of one place of the configuration: recorded from the very calls that read and
// check it, so schema and reference say what the readers do.
struct Shape {
    enum class Kind { any, text, number, flag, duration, choice, list, object, pairs };

    Kind kind = Kind::any;
    TextRule text{};
    NumberRule number{};
    DurationRule duration{};
    ListRule list{};  // of an object with free names too
    std::vector<std::string> choices{};
    bool is_loose = false;  // somewhere it is not looked into
    std::string note{};     // that it is not served, and what follows from that
    // Lists: what is being recorded stays where it is.
    std::list<std::pair<std::string, Shape>> fields{};  // of an object, as they are asked for
    std::list<Shape> item{};                            // of a list: one
    std::list<Shape> named{};        // of an object whose fields have free names: one
    std::list<Shape> others{};       // of other kinds, read in its place
    std::size_t visits = 0;          // as an object, by readers
    std::size_t times_required = 0;  // of its parent's visits

    Shape& field(std::string_view name);
    const Shape* find(std::string_view name) const;
    // The shape itself, or the one of its others that is of this kind.
    Shape& as(Kind other);
    void add_choices(const std::vector<std::string>& names);
    bool is_required(const Shape& parent) const { return times_required >= parent.visits; }
};

}  // namespace rotary::config
