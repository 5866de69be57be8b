#include "config/schema/json_value.hpp"

namespace rotary::config {
namespace {

bool is_block(const JsonValue& value) {
    return value.kind != JsonValue::Kind::raw && !(value.items.empty() && value.members.empty());
}

}  // namespace

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

void JsonValue::print_yaml(std::string& out, std::size_t depth) const {
    if (!is_block(*this)) {
        print(out);
        out += '\n';
        return;
    }
    const std::string indent(2 * depth, ' ');
    for (const JsonValue& item : items) {
        // The first line of an item stands behind its dash.
        std::string lines;
        item.print_yaml(lines, depth + 1);
        const std::size_t skipped = is_block(item) ? indent.size() + 2 : 0;
        out += indent + "- " + lines.substr(skipped);
    }
    for (const auto& [name, value] : members) {
        out += indent + name + (is_block(value) ? ":\n" : ": ");
        value.print_yaml(out, depth + 1);
    }
}

}  // namespace rotary::config
