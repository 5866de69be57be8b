#include <rotary/config/schema/schema.hpp>

#include "config/schema/shapes.hpp"

namespace rotary::config {
namespace {

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
            if (usual.empty() && field.is_required(shape)) {
                usual = "required";
            }
        } else {
            words = field_words(kind, place);
            usual = field.is_required(shape) ? "required" : "";
        }
        if (!field.note.empty()) {
            words += (words.empty() ? "" : " ") + ("Not served: " + field.note) + ".";
        }
        out += "| `" + place + "` | " + in_cell(value_words(field)) + " | " + in_cell(usual) +
               " | " + in_cell(words) + " |\n";
        add_rows(field, kind, place, out);
        for (const Shape& item : field.item) {
            add_rows(item, kind, place + "[]", out);
        }
        for (const Shape& named : field.named) {
            add_rows(named, kind, place + ".NAME", out);
        }
        for (const Shape& other : field.others) {
            add_rows(other, kind, place, out);
            for (const Shape& item : other.item) {
                add_rows(item, kind, place + "[]", out);
            }
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
