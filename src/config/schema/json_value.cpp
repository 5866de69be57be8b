#include "config/schema/json_value.hpp"

namespace rotary::config {

JsonValue& JsonValue::add(std::string_view name, JsonValue value) {
    members.emplace_back(std::string(name), std::move(value));
    return *this;
}

void JsonValue::print(std::string& out, std::size_t depth) const {
    if (kind == Kind::raw) {
        out += text;
        return;
    }
    const bool is_list = kind == Kind::list;
    const std::size_t size = is_list ? items.size() : members.size();
    out += is_list ? '[' : '{';
    for (std::size_t i = 0; i < size; ++i) {
        out += i == 0 ? "\n" : ",\n";
        out.append(2 * (depth + 1), ' ');
        if (!is_list) {
            text::append_json_string(out, members[i].first);
            out += ": ";
        }
        (is_list ? items[i] : members[i].second).print(out, depth + 1);
    }
    if (size > 0) {
        out += '\n';
        out.append(2 * depth, ' ');
    }
    out += is_list ? ']' : '}';
}

}  // namespace rotary::config
