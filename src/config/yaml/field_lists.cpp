#include "config/yaml/fields.hpp"

// Lists, and mappings with free keys.
namespace rotary::config {
namespace {

std::string indexed(const std::string& path, std::size_t index) {
    return path + '[' + std::to_string(index) + ']';
}

}  // namespace

const Node* Fields::list(std::string_view key, const ListRule& rule) {
    const Node* node = find(key, rule.required);
    if (node == nullptr) {
        return nullptr;
    }
    if (node->kind != Node::Kind::list) {
        expected("a list", *node, mark_of(key));
        return nullptr;
    }
    if (node->items.size() < rule.min) {
        error(key, rule.min == 1 ? "must not be empty"
                                 : "must have at least " + std::to_string(rule.min) + " items");
    } else if (node->items.size() > rule.max) {
        error(key, "must have at most " + std::to_string(rule.max) +
                       (rule.max == 1 ? " item" : " items") + ", found " +
                       std::to_string(node->items.size()));
    }
    return node;
}

void Fields::each(std::string_view key, const Visit& visit, const ListRule& rule) {
    if (shape_ != nullptr) {
        Shape& shape = record(key, rule.required, Shape::Kind::list);
        shape.list = rule;
        shape.item.resize(1);
        Fields fields(reading_, shape.item.front(), path_of(key));
        visit(fields);
        return;
    }
    const Node* node = list(key, rule);
    if (node == nullptr) {
        return;
    }
    for (std::size_t i = 0; i < node->items.size(); ++i) {
        const Node& item = node->items[i];
        Fields fields(reading_, item, indexed(path_of(key), i));
        if (item.kind != Node::Kind::map) {
            expected("a mapping", item, fields.mark());
            continue;
        }
        visit(fields);
        fields.finish();
    }
}

void Fields::each_text(std::string_view key, const VisitText& visit, const ListRule& rule,
                       const TextRule& item_rule) {
    if (shape_ != nullptr) {
        Shape& shape = record(key, rule.required, Shape::Kind::list);
        shape.list = rule;
        shape.item.resize(1);
        shape.item.front().as(Shape::Kind::text).text = item_rule;
        return;
    }
    const Node* node = list(key, rule);
    if (node == nullptr) {
        return;
    }
    for (std::size_t i = 0; i < node->items.size(); ++i) {
        const Node& item = node->items[i];
        const Mark mark{reading_.file, item.line, item.column, indexed(path_of(key), i)};
        const std::optional<std::string> value = scalar(item, mark);
        if (value && fits(*value, mark, item_rule)) {
            visit(*value, mark);
        }
    }
}

bool Fields::texts(std::string_view key, std::vector<std::string>& out, const ListRule& rule,
                   const TextRule& item) {
    each_text(
        key, [&](const std::string& text, const Mark&) { out.push_back(text); }, rule, item);
    return !out.empty();
}

const Node* Fields::mapping(std::string_view key) {
    const Node* node = find(key, false);
    if (node == nullptr || node->kind == Node::Kind::map) {
        return node;
    }
    expected("a mapping", *node, mark_of(key));
    return nullptr;
}

void Fields::each_pair(std::string_view key, const VisitPair& visit) {
    if (shape_ != nullptr) {
        record(key, false, Shape::Kind::pairs);
        return;
    }
    const Node* node = mapping(key);
    if (node == nullptr) {
        return;
    }
    for (const Member& member : node->members) {
        const Mark mark{reading_.file, member.value.line, member.value.column,
                        path_of(key) + '.' + member.key};
        const std::optional<std::string> value = scalar(member.value, mark);
        visit(member.key, value ? &*value : nullptr, mark);
    }
}

void Fields::each_named(std::string_view key, const VisitNamed& visit) {
    if (shape_ != nullptr) {
        Shape& shape = record(key, false, Shape::Kind::object);
        shape.named.resize(1);
        Fields fields(reading_, shape.named.front(), path_of(key) + ".NAME");
        visit({}, fields);
        return;
    }
    const Node* node = mapping(key);
    if (node == nullptr) {
        return;
    }
    for (const Member& member : node->members) {
        const Node& value = member.value;
        Fields fields(reading_, value, path_of(key) + '.' + member.key);
        if (value.kind == Node::Kind::null) {
            fields.error("", "is required");
        } else if (value.kind != Node::Kind::map) {
            expected("a mapping", value, fields.mark());
        } else {
            visit(member, fields);
            fields.finish();
        }
    }
}

void Fields::takes(std::string_view key, const Shape& shape) {
    if (shape_ != nullptr) {
        shape_->field(key) = shape;
    } else {
        known_.emplace_back(key);
    }
}

void Fields::takes_names(std::string_view key, const TextRule& rule) {
    if (shape_ != nullptr) {
        shape_->field(key).text = rule;
    }
}

void Fields::knows(std::string_view key, const std::vector<std::string>& names) {
    if (shape_ != nullptr) {
        Shape& field = shape_->field(key);
        Shape& text = field.kind == Shape::Kind::list ? field.item.front() : field;
        text.kind = Shape::Kind::choice;
        text.choices = names;
        text.others.clear();
    }
}

}  // namespace rotary::config
