#include "config/kinds/kinds.hpp"
#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

// What WSO2's sample has in the key's place.
constexpr std::string_view kPlaceholder = "base64_encoded_api_key";

constexpr const char* kRemedy =
    "echo -n 'Bearer sk-…' | base64, or write it as it is under stringData";

// The value never appears in a message: it may be the key itself, not encoded.
SecretValue decode(Fields& fields, const std::string* text, const Mark& mark) {
    std::optional<std::string> value = text == nullptr ? std::nullopt : decode_base64(*text);
    if (text != nullptr && !value) {
        const bool untouched = *text == kPlaceholder;
        fields.reading().findings.push_back(
            error_at(mark, std::string(untouched ? "not valid base64; replace the placeholder: "
                                                 : "not valid base64; make it by ") +
                               kRemedy));
    }
    return {Secret(value.value_or("")), mark, value.has_value()};
}

// Of a key a path, or a mapping with what stands before the file's text.
void read_secret_files(Fields& fields, SecretObject& secret) {
    if (fields.has("file") && !fields.reading().is_local) {
        fields.error("file",
                     "an object may not name a file of the gateway's machine: write the "
                     "value under data or stringData");
        fields.tolerate({"file"});
        return;
    }
    fields.object("file", [&](Fields& files) {
        for (const Member& member : files.node().members) {
            SecretValue value{Secret(), files.mark_of(member.key)};
            if (secret.values.contains(member.key)) {
                files.error(member.key, "is there under data or stringData too; which is it?");
            }
            if (files.is_map(member.key)) {
                files.object(member.key, [&](Fields& file) {
                    file.text("path", value.file, {.required = true, .min = 1});
                    file.text("prefix", value.prefix, {.min = 1});
                });
            } else {
                files.text(member.key, value.file, {.required = true, .min = 1});
            }
            value.valid = !value.file.empty();
            if (value.valid) {
                value.file = resolve_path(fields.reading().folder, value.file);
            }
            secret.values[member.key] = std::move(value);
        }
    });
}

void read_secret_data(Fields& fields, SecretObject& secret) {
    fields.each_pair("data",
                     [&](const std::string& key, const std::string* text, const Mark& mark) {
                         secret.values[key] = decode(fields, text, mark);
                     });
    fields.each_pair(
        "stringData", [&](const std::string& key, const std::string* text, const Mark& mark) {
            secret.values[key] = {Secret(text == nullptr ? "" : *text), mark, text != nullptr};
        });
}

}  // namespace

void read_secret(Object& object) {
    SecretObject secret;
    secret.metadata = object.metadata;
    object.fields.tolerate({"type", "immutable"});
    read_secret_data(object.fields, secret);
    read_secret_files(object.fields, secret);
    object.resources.secrets.push_back(std::move(secret));
}

}  // namespace rotary::config
