#include "config/short/build.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

// Fields of resources that Kubernetes has as numbers; there is no other plain scalar that could be
// taken for something else than text.
bool is_number_field(std::string_view key) {
    static constexpr std::string_view kNames[] = {"port", "weight", "onQuotaExceedSuspendDuration"};
    return std::find(std::begin(kNames), std::end(kNames), key) != std::end(kNames);
}

// Needs no quotes, whichever version of YAML reads it.
bool is_plain(std::string_view text) {
    static constexpr std::string_view kWords[] = {"true", "false", "null", "yes", "no",
                                                  "on",   "off",   "y",    "n"};
    std::string lower(text);
    for (char& c : lower) {
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    const auto fits = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
               std::string_view("-_./").find(c) != std::string_view::npos;
    };
    const bool begins_well =
        !text.empty() && (std::isalpha(static_cast<unsigned char>(text[0])) != 0 || text[0] == '/');
    return begins_well && std::all_of(text.begin(), text.end(), fits) &&
           std::find(std::begin(kWords), std::end(kWords), lower) == std::end(kWords);
}

// YAML 1.2, 7.3.1. Bytes beyond ASCII are UTF-8 and stand as they are.
std::string quoted(std::string_view text) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (byte < 0x20 || byte == 0x7f) {
            out += "\\x";
            out += kDigits[byte >> 4U];
            out += kDigits[byte & 15U];
        } else {
            out += c;
        }
    }
    out += '"';
    return out;
}

std::string scalar_text(std::string_view key, const std::string& text) {
    return is_plain(text) || (is_number_field(key) && parse_integer(text)) ? text : quoted(text);
}

void write(const Node& node, std::string_view key, std::size_t depth, std::string& out);

void write_member(const Member& member, std::size_t depth, std::string& out) {
    out += is_plain(member.key) ? member.key : quoted(member.key);
    out += ':';
    write(member.value, member.key, depth + 1, out);
}

void write_map(const Node& node, std::size_t depth, std::string& out) {
    if (node.members.empty()) {
        out += " {}\n";
        return;
    }
    out += depth == 0 ? "" : "\n";
    for (const Member& member : node.members) {
        out.append(2 * depth, ' ');
        write_member(member, depth, out);
    }
}

void write_list(const Node& node, std::size_t depth, std::string& out) {
    if (node.items.empty()) {
        out += " []\n";
        return;
    }
    out += '\n';
    for (const Node& item : node.items) {
        out.append(2 * depth, ' ');
        out += '-';
        if (item.kind == Node::Kind::map && !item.members.empty()) {
            out += ' ';
            bool first = true;
            for (const Member& member : item.members) {
                out.append(first ? 0 : 2 * depth + 2, ' ');
                first = false;
                write_member(member, depth + 1, out);
            }
        } else {
            write(item, "", depth + 1, out);
        }
    }
}

// Behind the colon or the dash, to the end of the line or of the block.
void write(const Node& node, std::string_view key, std::size_t depth, std::string& out) {
    switch (node.kind) {
        case Node::Kind::map:
            write_map(node, depth, out);
            break;
        case Node::Kind::list:
            write_list(node, depth, out);
            break;
        case Node::Kind::scalar:
            out += ' ';
            out += scalar_text(key, node.text);
            out += '\n';
            break;
        case Node::Kind::null:
        case Node::Kind::broken:
            out += '\n';
            break;
    }
}

// "${NAME}", "Bearer ${NAME}" and the like with `:?`: nothing of a value is in it.
bool names_a_variable(std::string_view text) {
    constexpr std::string_view kScheme = "Bearer ";
    if (text.starts_with(kScheme)) {
        text.remove_prefix(kScheme.size());
    }
    return text.starts_with("${") && text.find('}') == text.size() - 1 &&
           text.find(":-") == std::string_view::npos;
}

void redact(Node& value, std::string_view name, std::string_view why) {
    if (value.kind != Node::Kind::scalar || names_a_variable(value.text)) {
        return;
    }
    std::string variable;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        variable += std::isalnum(byte) != 0 ? static_cast<char>(std::toupper(byte)) : '_';
    }
    value.text = "${SECRET_";
    value.text.append(variable).append(":?").append(why).append("}");
}

Node* member_of(Node& map, std::string_view key) {
    for (Member& member : map.members) {
        if (member.key == key) {
            return &member.value;
        }
    }
    return nullptr;
}

void redact_secret(Node& root, std::string_view why) {
    const Node* metadata = root.find("metadata");
    const Node* name = metadata == nullptr ? nullptr : metadata->find("name");
    for (const char* field : {"data", "stringData"}) {
        if (Node* values = member_of(root, field)) {
            for (Member& member : values->members) {
                redact(member.value, (name == nullptr ? "" : name->text + '_') + member.key, why);
            }
        }
    }
}

}  // namespace

Node NodeAt::of(Node::Kind kind) const {
    Node node;
    node.kind = kind;
    node.line = line_;
    node.column = column_;
    return node;
}

Node NodeAt::raw(std::string text) const {
    Node node = of(Node::Kind::scalar);
    node.text = std::move(text);
    return node;
}

Node NodeAt::text(std::string_view text) const {
    std::string escaped;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char next = i + 1 < text.size() ? text[i + 1] : '\0';
        escaped += text[i];
        if (text[i] == '$' && (next == '{' || next == '$')) {
            escaped += '$';
        }
    }
    return raw(std::move(escaped));
}

Node NodeAt::list(std::vector<Node> items) const {
    Node node = of(Node::Kind::list);
    node.items = std::move(items);
    return node;
}

Node NodeAt::map(std::vector<std::pair<const char*, Node>> members) const {
    Node node = of(Node::Kind::map);
    for (auto& [key, value] : members) {
        node.members.push_back({key, value.line, value.column, std::move(value)});
    }
    return node;
}

std::string to_yaml(const Node& root) {
    std::string out = "---\n";
    write(root, "", 0, out);
    return out;
}

Node redacted(const Node& root, std::string_view why) {
    Node copy = root;
    const Node* kind = root.find("kind");
    if (kind != nullptr && kind->text == "Secret") {
        redact_secret(copy, why);
    }
    if (Node* items = member_of(copy, "items"); items != nullptr && kind != nullptr) {
        for (Node& item : items->items) {
            item = redacted(item, why);
        }
    }
    if (Node* providers = kind == nullptr ? member_of(copy, "providers") : nullptr) {
        for (Member& provider : providers->members) {
            if (Node* key = member_of(provider.value, "key"); key != nullptr) {
                redact(*key, provider.key, why);
            }
        }
    }
    return copy;
}

}  // namespace rotary::config
