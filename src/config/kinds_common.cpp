#include "config/object.hpp"

namespace rotary::config {

std::optional<KeyReference> read_key_reference(Fields& fields, const char* key_field) {
    KeyReference reference;
    reference.mark = fields.mark_of("name");
    reference.key_mark = fields.mark_of(key_field);
    const bool has_name = fields.text("name", reference.name, kReferenceName);
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
            fields.text("group", target.name, {.required = true, .max = 253});
            target.name.clear();
            fields.choice<TargetKind>("kind", target.kind,
                                      {{"API", TargetKind::api},
                                       {"Resource", TargetKind::resource},
                                       {"Gateway", TargetKind::gateway}},
                                      true);
            fields.text("name", target.name, kReferenceName);
            fields.tolerate({"namespace", "sectionName"});
        },
        required);
    return target;
}

void read_reference_frame(Fields& fields, const char* wanted_kind) {
    fields.tolerate({"group", "namespace", "port"});
    std::string kind = wanted_kind;
    if (fields.text("kind", kind) && kind != wanted_kind) {
        fields.error("kind", "must be " + std::string(wanted_kind) + ", found \"" + kind + '"');
    }
}

}  // namespace rotary::config
