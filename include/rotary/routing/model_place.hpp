#pragma once

#include <rotary/config/kinds/policy.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace rotary::routing {

// The part of a path that names a model: the first group of an expression, wherever it matches.
// Immutable; any thread.
class PathSlot {
public:
    explicit PathSlot(const std::string& expression);
    ~PathSlot();
    PathSlot(const PathSlot&) = delete;
    PathSlot& operator=(const PathSlot&) = delete;

    bool ok() const;  // RE2 takes the expression, and it has a group
    struct Range {
        std::size_t begin = 0;
        std::size_t size = 0;
    };
    // Nothing when the path does not match, or matches without its group.
    std::optional<Range> find(std::string_view path) const;

private:
    std::unique_ptr<re2::RE2> expression_;
};

// Where the model goes in a request (AIProvider.requestModel).
struct ModelPlace {
    using In = config::ValueLocation::In;
    In in = In::body;
    std::string name = "model";                 // a header, a parameter, an expression, a member
    std::vector<std::string> members{"model"};  // that lead to it in a JSON body, outermost first
    std::string part_head;                      // before its value as a part of a multipart body
    std::shared_ptr<const PathSlot> slot;       // of a path

    // Only a plain name can be a form's field too.
    bool may_be_field() const noexcept { return members.size() == 1; }
};

struct Placed {
    ModelPlace place;
    std::string error;  // why no model can be put there; empty: it can
};
Placed model_place(const config::ValueLocation& location);

// A model as it is written into each kind of request.
struct ModelTexts {
    std::string json;     // as a JSON string, quotes included
    std::string encoded;  // percent-encoded, for a path, a query or a form
    std::string field;    // of a form that has none: model=gpt-4o
    // For a JSON body that has no model: what is missing when so many of the members that lead to
    // it are there. "input":{"model":"gpt-4o"}, then "model":"gpt-4o".
    std::vector<std::string> members;
};
ModelTexts model_texts(const ModelPlace& place, const std::string& model);

}  // namespace rotary::routing
