#include <rotary/config/schema/schema.hpp>

#include "config/schema/shapes.hpp"
#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

std::string between(const std::string& least, const std::string& most) {
    return least + " to " + most;
}

std::string number_text(const NumberRule& rule) {
    const bool has_least = rule.min != NumberRule{}.min;
    const bool has_most = rule.max != NumberRule{}.max;
    if (has_least && has_most) {
        return between(std::to_string(rule.min), std::to_string(rule.max));
    }
    return has_least ? "number from " + std::to_string(rule.min) : "number";
}

// What may stand there, in a few words.
std::string kind_text(const Shape& shape) {
    switch (shape.kind) {
        case Shape::Kind::text:
            return "text";
        case Shape::Kind::number:
            return number_text(shape.number);
        case Shape::Kind::flag:
            return "true or false";
        case Shape::Kind::duration:
            return between(shown_duration(shape.duration.min), shown_duration(shape.duration.max));
        case Shape::Kind::choice: {
            std::string names;
            for (const std::string& name : shape.choices) {
                names += (names.empty() ? "`" : ", `") + name + "`";
            }
            return names;
        }
        case Shape::Kind::list: {
            const bool of_texts =
                !shape.item.empty() && shape.item.front().kind == Shape::Kind::text;
            return of_texts ? "list of texts" : "list";
        }
        case Shape::Kind::object:
            return "mapping";
        case Shape::Kind::pairs:
            return "mapping of texts";
        case Shape::Kind::any:
            return "not looked into";
    }
    return "";
}

std::string in_cell(std::string_view text) {
    std::string cell;
    for (const char c : text) {
        cell += c == '|' ? "\\|" : std::string(1, c);
    }
    return cell;
}

void add_rows(const Shape& shape, const std::string& kind, const std::string& path,
              std::string& out) {
    for (const auto& [name, field] : shape.fields) {
        const std::string place = joined_path(path, name);
        std::string words;
        std::string usual;
        if (kind.empty()) {
            const SettingWords said = setting_words(place);
            words = said.description;
            usual = said.usual.empty() ? "" : "`" + said.usual + "`";
        } else {
            words = field_words(kind, place);
            usual = field.is_required(shape) ? "required" : "";
        }
        if (!field.note.empty()) {
            words += (words.empty() ? "" : " ") + ("Not served: " + field.note) + ".";
        }
        out += "| `" + place + "` | " + in_cell(kind_text(field)) + " | " + in_cell(usual) + " | " +
               in_cell(words) + " |\n";
        add_rows(field, kind, place, out);
        for (const Shape& item : field.item) {
            add_rows(item, kind, place + "[]", out);
        }
        for (const Shape& other : field.others) {
            add_rows(other, kind, place, out);
        }
    }
}

}  // namespace

std::string reference() {
    std::string out =
        "# Every key and every field\n\n"
        "Made by `rotary schema --format markdown` from what reads and checks a configuration; "
        "don't edit it.\nWhat is written as text, number or name may hold `${VAR}`. `x[]` is an "
        "item of the list `x`.\n\n"
        "## rotary.yaml\n\n| key | value | default | what it says |\n|---|---|---|---|\n";
    add_rows(settings_shape(), "", "", out);
    out += "\n## Resources\n";
    for (const KindShape& kind : kind_shapes()) {
        out += "\n### " + kind.name + "\n\n`apiVersion`: ";
        for (std::size_t i = 0; i < kind.versions.size(); ++i) {
            out += (i == 0 ? "`" : ", `") + kind.versions[i] + "`";
        }
        out += ".\n\n| field | value | | what it says |\n|---|---|---|---|\n";
        add_rows(kind.shape, kind.name, "", out);
    }
    return out;
}

}  // namespace rotary::config
