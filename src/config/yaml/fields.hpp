#pragma once

#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rotary/config/kinds/resources.hpp>
#include <rotary/config/load.hpp>
#include <rotary/config/yaml/node.hpp>
#include "config/yaml/shape.hpp"

namespace rotary::config {

// What the reading of one file needs. Lives on the loader's stack.
struct FileReading {
    std::string file;
    std::string folder;  // where relative paths start
    const Environment& environment;
    std::vector<Finding>& findings;
    std::vector<Unserved>* unserved = nullptr;  // of resources
    std::string name_space{};                   // of the object that is being read
    // Of a recording, in which nothing is read: a reader that asks for one thing or another, by
    // what it has read, takes another way in each pass.
    std::size_t pass = 0;
    // It is a file of this machine: its ${VAR} are the environment's, and it may name other files.
    // An object from elsewhere has neither.
    bool is_local = true;
};

template <class E>
using Choices = std::initializer_list<std::pair<const char*, E>>;

// Reads one mapping, field by field, into the members of a struct. What is wrong becomes a finding
// at its place and leaves the member as it was. null counts as absent. What no reader asked for
// is reported by finish() with the nearest of the names that were asked for.
class Fields {
public:
    using Visit = std::function<void(Fields&)>;
    using VisitText = std::function<void(const std::string& text, const Mark& mark)>;
    // text is nullptr where the value is no text or holds an unset variable, which was reported.
    using VisitPair =
        std::function<void(const std::string& key, const std::string* text, const Mark& mark)>;

    using VisitNamed = std::function<void(const Member& member, Fields& fields)>;

    Fields(FileReading& reading, const Node& map, std::string path);
    Fields(FileReading& reading, Shape& shape, std::string path);  // which is recorded

    FileReading& reading() const { return reading_; }
    bool has(std::string_view key) const;  // present and not null
    bool is_map(std::string_view key) const;
    const Node& node() const { return map_; }  // as it was written
    Mark mark() const;
    Mark mark_of(std::string_view key) const;  // of its value; absent: of this mapping

    // These return true when the member was set.
    bool text(std::string_view key, std::string& out, const TextRule& rule = {});
    bool flag(std::string_view key, bool& out);
    bool flag(std::string_view key, std::optional<bool>& out);
    bool duration(std::string_view key, Duration& out, const DurationRule& rule = {});
    template <class T>
    bool number(std::string_view key, T& out, const NumberRule& rule);
    template <class E>
    bool choice(std::string_view key, E& out, Choices<E> choices, bool required = false);
    bool texts(std::string_view key, std::vector<std::string>& out, const ListRule& rule = {},
               const TextRule& item = {});
    // A file's or folder's, made ready to be opened; an empty one stays so.
    bool path(std::string_view key, std::string& out, const TextRule& rule = {});
    bool object(std::string_view key, const Visit& visit, bool required = false);

    void each(std::string_view key, const Visit& visit, const ListRule& rule = {});
    void each_text(std::string_view key, const VisitText& visit, const ListRule& rule = {},
                   const TextRule& item = {});
    void each_pair(std::string_view key, const VisitPair& visit);    // a mapping with free keys
    void each_named(std::string_view key, const VisitNamed& visit);  // of mappings
    // For a recording, of what a reader looks into by itself: the shape that it takes, what names
    // of a mapping look like, and which texts there may be, alone or in a list.
    void takes(std::string_view key, const Shape& shape);
    void takes_names(std::string_view key, const TextRule& rule);
    void knows(std::string_view key, const std::vector<std::string>& names);

    // A field that unserved.cpp lists: check() decides how bad it is. None for an empty list or
    // mapping and for false.
    void unserved(std::string_view key);
    // A key that is written and has no value: what is taken in its place is said.
    void empty_is(std::string_view key, const char* instead);
    // A field that APK knows. The warning says "is not served: " and the consequence; none for
    // an empty list or mapping and for false, which ask for nothing.
    void not_served(std::string_view key, const char* consequence);
    // Known, of no consequence here, not looked into.
    void tolerate(std::initializer_list<const char*> keys);
    // The same of one that has consequences beside other fields.
    void ignore(const char* key);

    void error(std::string_view key, std::string message);
    void warning(std::string_view key, std::string message);
    void finish();

private:
    std::size_t way(std::string_view key) const;
    Shape& record(std::string_view key, bool required, Shape::Kind kind);
    const Node* find(std::string_view key, bool required);
    const Node* mapping(std::string_view key);
    std::optional<std::string> scalar(std::string_view key, bool required);
    std::optional<std::string> scalar(const Node& node, const Mark& mark);
    bool fits(const std::string& text, const Mark& mark, const TextRule& rule);
    std::optional<long long> integer(std::string_view key, const NumberRule& rule);
    const Node* list(std::string_view key, const ListRule& rule);
    std::optional<std::size_t> pick(std::string_view key, const std::vector<std::string>& names,
                                    bool required);
    std::string shown_at(std::string_view key, const std::string& text) const;
    void expected(const char* what, const Node& node, const Mark& mark);
    std::string path_of(std::string_view key) const;
    bool asks_something(std::string_view key);

    FileReading& reading_;
    const Node& map_;
    std::string path_;
    std::vector<std::string> known_;
    Shape* shape_ = nullptr;  // of this mapping, where it is recorded
};

template <class T>
bool Fields::number(std::string_view key, T& out, const NumberRule& rule) {
    const std::optional<long long> value = integer(key, rule);
    if (value) {
        out = T(*value);
    }
    return value.has_value();
}

template <class E>
bool Fields::choice(std::string_view key, E& out, Choices<E> choices, bool required) {
    std::vector<std::string> names;
    for (const auto& choice : choices) {
        names.emplace_back(choice.first);
    }
    const std::optional<std::size_t> picked = pick(key, names, required);
    if (picked) {
        out = (choices.begin() + *picked)->second;
    }
    return picked.has_value();
}

}  // namespace rotary::config
