#include <algorithm>

#include <rotary/base/text.hpp>
#include <rotary/config/yaml/timestamp.hpp>
#include "config/kinds/kinds.hpp"

namespace rotary::config {
namespace {

constexpr std::size_t kMostConsumerBytes = 256;

bool has_no_control_characters(std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool is_hash(std::string_view text) {
    constexpr std::string_view kPrefix = "sha256:";
    const auto is_digit = [](char c) {
        const char lower = text::lower(c);
        return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'f');
    };
    return text.starts_with(kPrefix) && text.size() == kPrefix.size() + 64 &&
           std::all_of(text.begin() + kPrefix.size(), text.end(), is_digit);
}

// A value that is none may be the key itself: no finding shows it.
void read_hash(Fields& fields, KeyHash& key) {
    key.mark = fields.mark_of("hash");
    std::string text;
    if (!fields.text("hash", text, {.required = true, .min = 1})) {
        return;
    }
    if (text.starts_with("rk_")) {
        fields.error("hash",
                     "holds a key itself, which is spent by that: make a new one with `rotary key "
                     "new`; only the hash that it prints belongs here");
    } else if (!is_hash(text)) {
        fields.error("hash",
                     "must be sha256: and 64 hexadecimal digits, as `rotary key new` prints it");
    } else {
        std::transform(text.begin(), text.end(), std::back_inserter(key.hash), text::lower);
    }
}

void read_time(Fields& fields, const char* name, WallTime& out) {
    std::string text;
    if (!fields.text(name, text)) {
        return;
    }
    if (const auto time = parse_timestamp(text)) {
        out = *time;
    } else {
        fields.error(name,
                     "must be a time such as 2027-01-31T12:00:00Z, or a day such as 2027-01-31, of "
                     "which the beginning in UTC counts");
    }
}

KeyHash read_key(Fields& fields) {
    KeyHash key;
    read_hash(fields, key);
    read_time(fields, "notBefore", key.not_before);
    read_time(fields, "notAfter", key.not_after);
    key.not_after_mark = fields.mark_of("notAfter");
    if (key.not_after <= key.not_before) {
        fields.error("notAfter", "is not after notBefore: the key would never be valid");
    }
    fields.text("note", key.note);
    return key;
}

void read_consumer_key_spec(Fields& spec, ConsumerKey& one) {
    spec.text("consumer", one.consumer,
              {.required = true,
               .min = 1,
               .max = kMostConsumerBytes,
               .fits = has_no_control_characters,
               .shape = "hold no control characters"});
    spec.each("keys", [&](Fields& key) { one.keys.push_back(read_key(key)); },
              {.required = true, .min = 1});
    spec.each_text(
        "apis",
        [&](const std::string& name, const Mark& mark) {
            one.apis.push_back({identity_of(spec, name), mark});
        },
        {.min = 1}, kReferenceName);
    spec.each_text("models",
                   [&](const std::string& name, const Mark& mark) {
                       one.models.push_back({name, mark});
                   },
                   {.min = 1}, {.min = 1});
    spec.texts("scopes", one.scopes, {}, {.min = 1});
    spec.flag("disabled", one.disabled);
    one.max_concurrent_mark = spec.mark_of("maxConcurrent");
    spec.number("maxConcurrent", one.max_concurrent, {.min = 1, .max = kMostConcurrent});
}

}  // namespace

void read_consumer_key(Object& object) {
    ConsumerKey one;
    one.metadata = object.metadata;
    object.fields.object(
        "spec", [&](Fields& spec) { read_consumer_key_spec(spec, one); }, true);
    object.resources.consumer_keys.push_back(std::move(one));
}

}  // namespace rotary::config
