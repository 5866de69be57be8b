#include <rotary/routing/model_place.hpp>

#include <rotary/base/percent.hpp>
#include <rotary/wire/http1_writer.hpp>
#include <rotary/wire/json_writer.hpp>

#include <re2/re2.h>

#include <algorithm>

namespace rotary::routing {

namespace {

// "$.input.model" and "input.model" name the same member. Empty: not a path of members.
std::vector<std::string> members_of(std::string_view path) {
    if (path.starts_with("$.")) path.remove_prefix(2);
    std::vector<std::string> members;
    for (bool more = true; more;) {
        const std::size_t end = path.find('.');
        const std::string_view member = path.substr(0, end);
        if (member.empty() || member.find_first_of("[$") != member.npos) return {};
        members.emplace_back(member);
        more = end != path.npos;
        path.remove_prefix(more ? end + 1 : path.size());
    }
    return members;
}

std::string json_string(const std::string& text) {
    std::string out;
    wire::JsonWriter(out).string(text);
    return out;
}

// Names of forms' parts that would have to be escaped are not written.
bool is_plain_part_name(std::string_view name) {
    return wire::is_field_value(name) && name.find_first_of("\"\\%\t") == name.npos;
}

std::string body_error(const ModelPlace& place) {
    if (place.members.empty()) {
        return "must be the name of a member of the body, or the names that lead to it, such as "
               "\"model\", \"$.model\" or \"$.input.model\"";
    }
    return {};
}

}  // namespace

PathSlot::PathSlot(const std::string& expression)
    : expression_(std::make_unique<re2::RE2>(expression, re2::RE2::Quiet)) {}

PathSlot::~PathSlot() = default;

bool PathSlot::ok() const {
    return expression_->ok() && expression_->NumberOfCapturingGroups() >= 1;
}

std::optional<PathSlot::Range> PathSlot::find(std::string_view path) const {
    re2::StringPiece groups[2];
    if (!expression_->Match(re2::StringPiece(path.data(), path.size()), 0, path.size(),
                            re2::RE2::UNANCHORED, groups, 2) ||
        groups[1].data() == nullptr) {
        return std::nullopt;
    }
    return Range{static_cast<std::size_t>(groups[1].data() - path.data()), groups[1].size()};
}

Placed model_place(const config::ValueLocation& location) {
    using In = config::ValueLocation::In;
    Placed placed;
    ModelPlace& place = placed.place;
    place.in = location.in;
    place.name = location.value;
    switch (place.in) {
        case In::body:
            place.members = members_of(location.value);
            placed.error = body_error(place);
            place.name = place.members.empty() ? "model" : place.members.back();
            if (is_plain_part_name(place.name)) {
                place.part_head =
                    "\r\nContent-Disposition: form-data; name=\"" + place.name + "\"\r\n\r\n";
            }
            break;
        case In::header:
            if (!wire::is_token(place.name)) placed.error = "is not the name of a header";
            break;
        case In::query:
            if (place.name.empty() || text::percent_encoded(place.name) != place.name) {
                placed.error = "can be a query parameter only of letters, digits and - . _ ~";
            }
            break;
        case In::path:
            place.slot = std::make_shared<PathSlot>(place.name);
            if (!place.slot->ok()) {
                placed.error =
                    "must be a regular expression that RE2 takes, whose first group is the model";
            }
            break;
    }
    return placed;
}

ModelTexts model_texts(const ModelPlace& place, const std::string& model) {
    ModelTexts texts;
    texts.json = json_string(model);
    texts.encoded = text::percent_encoded(model);
    texts.field = text::percent_encoded(place.name) + "=" + texts.encoded;
    std::string missing = texts.json;
    for (std::size_t i = place.members.size(); i-- > 0;) {
        missing = json_string(place.members[i]) + ":" + missing;
        texts.members.push_back(missing);
        missing = "{" + missing + "}";
    }
    std::reverse(texts.members.begin(), texts.members.end());
    return texts;
}

}  // namespace rotary::routing
