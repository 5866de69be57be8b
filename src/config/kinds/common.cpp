#include "config/kinds/kinds.hpp"
#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

bool has_no_slash(std::string_view text) { return text.find('/') == std::string_view::npos; }

}  // namespace

constinit const TextRule kReferenceName{.required = true,
                                        .min = 1,
                                        .max = 253,
                                        .fits = has_no_slash,
                                        .shape = "be a name alone, without '/'"};

constinit const TextRule kNamespace{
    .min = 1,
    .max = 63,
    .fits = is_object_name,
    .shape =
        "be made of lower case letters, digits and '-', and begin and end "
        "with a letter or digit"};

std::string identity(std::string_view name_space, std::string_view name) {
    return name_space == kDefaultNamespace ? std::string(name)
                                           : std::string(name_space) + '/' + std::string(name);
}

std::string identity_of(const Fields& fields, std::string_view name) {
    return identity(fields.reading().name_space, name);
}

bool read_local_name(Fields& fields, std::string& out) {
    std::string name;
    const bool fits = fields.text("name", name, kReferenceName);
    out = fits ? identity_of(fields, name) : "";
    return fits;
}

std::optional<KeyReference> read_key_reference(Fields& fields, const char* key_field) {
    KeyReference reference;
    reference.mark = fields.mark_of("name");
    reference.key_mark = fields.mark_of(key_field);
    const bool has_name = read_local_name(fields, reference.name);
    const bool has_key = fields.text(key_field, reference.key, {.required = true, .min = 1});
    return has_name && has_key ? std::optional(reference) : std::nullopt;
}

PemSource read_pem_source(Fields& fields) {
    PemSource source;
    source.mark = fields.mark();
    int places = 0;
    if (fields.has("certificateInline")) {
        source.mark = fields.mark_of("certificateInline");
        ++places;
    }
    fields.text("certificateInline", source.text, {.min = 1});
    places += fields.object("configMapRef", [&](Fields& reference) {
        source.config_map = read_key_reference(reference, "key");
    });
    places += fields.object("secretRef", [&](Fields& reference) {
        source.secret = read_key_reference(reference, "key");
    });
    if (places > 1) {
        fields.error("", "has more than one of certificateInline, configMapRef and secretRef");
    }
    return source;
}

TargetRef read_target(Fields& spec, bool required) {
    TargetRef target;
    spec.object(
        "targetRef",
        [&](Fields& fields) {
            target.mark = fields.mark_of("name");
            std::string group;
            fields.text("group", group, {.required = true, .max = 253});
            fields.choice<TargetKind>("kind", target.kind,
                                      {{"API", TargetKind::api},
                                       {"Resource", TargetKind::resource},
                                       {"Gateway", TargetKind::gateway}},
                                      true);
            read_local_name(fields, target.name);
            target.name_space_mark = fields.mark_of("namespace");
            fields.text("namespace", target.name_space, kNamespace);
            fields.tolerate({"sectionName"});
        },
        required);
    return target;
}

void read_backend_name(Fields& fields, std::string& out) {
    fields.tolerate({"group", "port"});
    std::string kind = "Backend";
    if (fields.text("kind", kind) && kind != "Backend") {
        fields.error("kind", "must be Backend, found \"" + kind + '"');
    }
    fields.knows("kind", {"Backend"});
    std::string name;
    std::string name_space = fields.reading().name_space;
    fields.text("namespace", name_space, kNamespace);
    if (fields.text("name", name, kReferenceName)) {
        out = identity(name_space, name);
    }
}

}  // namespace rotary::config
