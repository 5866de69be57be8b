// What `rotary init` writes and says.
#include <rotary/base/text.hpp>
#include <rotary/tools/init.hpp>
#include <rotary/wire/json_writer.hpp>

#include <algorithm>
#include <cctype>

namespace rotary::tools {

namespace {

constexpr std::uint64_t kMostWeight = 1'000'000'000;

// As JSON, and so as YAML.
std::string quoted_key(std::string_view text) {
    std::string json;
    wire::JsonWriter(json).string(text);
    return json;
}

// A value, in which a dollar sign is none of a variable.
std::string quoted(std::string_view text) {
    std::string escaped;
    for (const char c : text) escaped.append(c == '$' ? 2 : 1, c);
    return quoted_key(escaped);
}

bool is_variable(std::string_view name) {
    const auto fits = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    };
    return !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
           std::all_of(name.begin(), name.end(), fits);
}

// The field of the provider that says where its key comes from.
std::optional<std::string> key_field(std::string_view from) {
    if (from == "none") return "key: none";
    const std::size_t colon = from.find(':');
    const std::string_view what = colon == from.npos ? "" : from.substr(colon + 1);
    if (from.starts_with("env:") && is_variable(what)) {
        return "key: \"${" + std::string(what) + "}\"";
    }
    if (from.starts_with("file:") && !what.empty()) return "key_file: " + quoted(what);
    return std::nullopt;
}

bool append_models(const std::vector<std::string>& models, const char* endpoints, std::string& out,
                   std::string& error) {
    for (const std::string& text : models) {
        const auto model = parse_init_model(text);
        if (!model) {
            error = "'" + text + "' is no model; expected is NAME or NAME=WEIGHT";
            return false;
        }
        out += "      - {model: " + quoted(model->name) +
               ", provider: main, weight: " + std::to_string(model->weight) + endpoints + "}\n";
    }
    return true;
}

void append_callers(const InitOptions& options, std::string_view key_hash, std::string& out) {
    if (!options.no_key) {
        out +=
            "    # Who may call: a consumer and the hash of its key (`rotary key new --consumer "
            "NAME`).\n"
            "    keys: {";
        out += quoted_key(options.consumer) + ": \"" + std::string(key_hash) + "\"}\n";
    }
    if (!options.issuer.empty()) {
        out += options.no_key ? "    # Who may call: whose token it has made; its keys"
                              : "    # Its tokens pass as well; its keys";
        out += " are found by discovery.\n    issuer: " + quoted(options.issuer) + "\n";
    }
}

}  // namespace

std::optional<InitModel> parse_init_model(std::string_view text) {
    InitModel model;
    const std::size_t equals = text.rfind('=');
    if (equals != text.npos) {
        const auto weight = text::parse_unsigned(text.substr(equals + 1));
        if (!weight || *weight > kMostWeight) return std::nullopt;
        model.weight = static_cast<std::uint32_t>(*weight);
    }
    model.name = text.substr(0, equals);
    const auto is_control = [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    };
    if (model.name.empty() || std::any_of(model.name.begin(), model.name.end(), is_control)) {
        return std::nullopt;
    }
    return model;
}

std::string init_configuration(const InitOptions& options, std::string_view key_hash,
                               std::string& error) {
    const auto key = key_field(options.key_from);
    if (!key) {
        error = "'" + options.key_from + "' says no key; expected is env:NAME, file:PATH or none";
        return "";
    }
    if (options.no_key && options.issuer.empty()) {
        error = "without a key and without an issuer no caller could be let in; --issuer names one";
        return "";
    }
    std::string models;
    if (options.models.empty()) {
        error = "no model is named";
        return "";
    }
    if (!append_models(options.models, "", models, error) ||
        !append_models(options.embedding_models, ", endpoints: [embeddings]", models, error)) {
        return "";
    }
    std::string out =
        "# Made by `rotary init`. What it says is checked by `rotary check -c rotary.yaml`; what "
        "it\n"
        "# stands for is printed by `rotary config dump -c rotary.yaml --resources`. A running\n"
        "# gateway takes changes over as soon as they are written.\n\n"
        "listeners:\n"
        "  - address: 127.0.0.1               # 0.0.0.0: other machines may call\n"
        "    port: ";
    out += std::to_string(options.port);
    out +=
        "\n    # For localhost, by an authority of its own (certs/ca.crt), good for some days.\n"
        "    tls: {certificate: certs/server.crt, key: certs/server.key}\n\n"
        "admin: {address: 127.0.0.1, port: ";
    out += std::to_string(options.admin_port);
    out +=
        "}  # health, metrics, status\n\n"
        "# Accounts at providers that speak OpenAI's API.\n"
        "providers:\n"
        "  main:\n"
        "    url: ";
    out += quoted(options.provider_url) + "\n    " + *key + "\n\n";
    out +=
        "apis:\n"
        "  - path: /v1\n";
    append_callers(options, key_hash, out);
    out +=
        "    suspend_seconds: 60              # a model whose quota is used up has a rest\n"
        "    # Clients ask for any model; these take their turns, by their weights. One with\n"
        "    # `endpoints: [embeddings]` (or images, audio, moderations) serves nothing else.\n"
        "    production:\n";
    return out + models;
}

std::string shell_word(std::string_view text) {
    const auto is_plain = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
               std::string_view("-_./:=,@").find(c) != std::string_view::npos;
    };
    if (!text.empty() && std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
    std::string word = "'";
    for (const char c : text) {
        if (c == '\'') {
            word += "'\\''";
        } else {
            word += c;
        }
    }
    return word + "'";
}

std::string init_curl_line(const InitOptions& options, std::string_view folder,
                           std::string_view key) {
    std::string line = "curl --cacert " + shell_word(std::string(folder) + "/certs/ca.crt");
    line += " https://localhost:" + std::to_string(options.port) + "/v1/chat/completions";
    line += options.no_key ? " -H \"Authorization: Bearer $TOKEN\""
                           : " -H 'Authorization: Bearer " + std::string(key) + "'";
    line += " -H 'Content-Type: application/json'";
    line +=
        " -d '{\"model\": \"any\", \"messages\": [{\"role\": \"user\", \"content\": \"a haiku "
        "about turns\"}]}'";
    return line;
}

}  // namespace rotary::tools
