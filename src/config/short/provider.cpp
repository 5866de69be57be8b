#include "config/short/read.hpp"

#include <algorithm>
#include <filesystem>

#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

constexpr TextRule kFilled{.required = true, .min = 1};
constexpr std::string_view kScheme = "Bearer ";
constexpr const char* kNoKey = "none";  // of a provider that asks for no key

// Takes host and port apart. False when that can't be.
bool read_authority(std::string_view text, ShortProvider& provider) {
    std::string_view port;
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) {
            return false;
        }
        provider.host = text.substr(1, end - 1);
        port = text.substr(end + 1);
    } else {
        provider.host = text.substr(0, text.find(':'));
        port = text.substr(provider.host.size());
    }
    provider.port = provider.protocol == "https" ? 443 : 80;
    if (!port.empty()) {
        const auto number = port[0] == ':' ? parse_integer(port.substr(1)) : std::nullopt;
        if (!number || *number < 1 || *number > 65535) {
            return false;
        }
        provider.port = static_cast<std::uint16_t>(*number);
    }
    return is_host_name(provider.host) || is_ip_address(provider.host);
}

// No message shows the URL: a key may have been put into it.
void read_url(Fields& fields, ShortProvider& provider) {
    std::string url;
    if (!fields.text("url", url, kFilled)) {
        return;
    }
    provider.url = written(fields, "url");
    const std::size_t colon = url.find("://");
    provider.protocol = url.substr(0, colon);
    if (colon == std::string::npos ||
        (provider.protocol != "https" && provider.protocol != "http")) {
        fields.error("url", "must begin with https:// (or http://, for a provider of your own)");
        return;
    }
    const std::string rest = url.substr(colon + 3);
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    if (rest.substr(0, slash).find('@') != std::string::npos) {
        fields.error("url", "must hold neither user nor password; the key stands in `key`");
    } else if (rest.find_first_of("?#") != std::string::npos) {
        fields.error("url", "must end with its path, without '?' and '#'");
    } else if (!read_authority(std::string_view(rest).substr(0, slash), provider)) {
        fields.error("url", "has no valid host and port; expected is https://HOST[:PORT][/PATH]");
    }
    provider.base_path = rest.substr(slash);
    while (provider.base_path.ends_with('/')) {
        provider.base_path.pop_back();
    }
}

void read_provider_key(Fields& fields, ShortProvider& provider) {
    std::string key;
    const bool has_key = fields.text("key", key, {.min = 1});
    const bool has_file = fields.text("key_file", provider.key_path, {.min = 1});
    if (has_key && fields.has("key_file")) {
        fields.error("key_file", "stands beside `key`; a provider has one of them");
    } else if (has_file) {
        provider.key_file = written(fields, "key_file");
        provider.key_path = absolute_path(fields, provider.key_path);
    } else if (!fields.has("key") && !fields.has("key_file")) {
        fields.error("key",
                     "is required: `key: \"${NAME}\"` takes it from the environment, `key_file: "
                     "PATH` from a file; `key: none` is for a provider that asks for none");
    } else if (has_key && key.starts_with(kScheme)) {
        fields.error("key", "must be the key alone: the format puts \"Bearer \" before it");
    } else if (has_key && key != kNoKey) {
        provider.key = written(fields, "key");
    }
}

void read_format(Fields& fields) {
    constexpr const char* kOpenAi = "openai";
    const char* format = kOpenAi;
    fields.choice<const char*>("format", format,
                               {{kOpenAi, kOpenAi},
                                {"anthropic", "anthropic"},
                                {"bedrock", "bedrock"},
                                {"gemini", "gemini"},
                                {"mistral", "mistral"}});
    if (std::string_view(format) != kOpenAi) {
        fields.error("format", std::string(format) +
                                   " is not served yet: requests are not translated; `openai` is "
                                   "right where the provider has an address that speaks it");
    }
}

}  // namespace

Node written(const Fields& fields, std::string_view key) {
    const Node* node = fields.node().find(key);
    return node == nullptr ? Node{} : *node;
}

std::string absolute_path(const Fields& fields, const std::string& path) {
    std::error_code error;
    const std::string resolved = resolve_path(fields.reading().folder, path);
    const auto absolute = std::filesystem::absolute(resolved, error).lexically_normal();
    return error ? resolved : absolute.string();
}

void read_providers(Fields& top, ShortForm& form) {
    top.each_named("providers", [&](const Member& member, Fields& one) {
        if (!is_object_name(member.key) || member.key.size() > kLongestName) {
            one.error("", std::string("the name of a provider must ") + kNameShape);
        }
        ShortProvider provider;
        provider.name = member.key;
        provider.place.line = member.line;
        provider.place.column = member.column;
        read_format(one);
        read_url(one, provider);
        read_provider_key(one, provider);
        form.providers.push_back(std::move(provider));
    });
    top.takes_names("providers", {.fits = is_object_name});
}

}  // namespace rotary::config
