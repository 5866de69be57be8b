#include <rotary/auth/api_key.hpp>
#include <rotary/auth/key_table.hpp>
#include <rotary/base/text.hpp>
#include <rotary/cli/command.hpp>
#include <rotary/config/load.hpp>
#include <rotary/config/yaml/timestamp.hpp>
#include <rotary/tools/key.hpp>
#include <rotary/wire/json_writer.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <iostream>
#include <memory>
#include <optional>

namespace rotary::tools {

namespace {

constexpr std::size_t kMostInput = 4096;  // of standard input; far more than a key takes

// Quoted as JSON, and so as YAML.
std::string quoted(std::string_view text) {
    std::string json;
    wire::JsonWriter(json).string(text);
    return json;
}

bool may_name_object(std::string_view text) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    };
    return !text.empty() && text.size() <= 63 && std::all_of(text.begin(), text.end(), fits) &&
           text.front() != '-' && text.back() != '-';
}

// Empty when the options make sense.
std::string objection_to(const NewKeyOptions& options) {
    const auto is_control = [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    };
    if (options.consumer.empty()) return "--consumer: is empty";
    if (options.consumer.size() > 256) return "--consumer: is longer than 256 bytes";
    if (std::any_of(options.consumer.begin(), options.consumer.end(), is_control)) {
        return "--consumer: holds a control character";
    }
    const auto begin = config::parse_timestamp(options.not_before);
    const auto end = config::parse_timestamp(options.not_after);
    constexpr const char* kExamples = "'; examples: 2027-01-31T12:00:00Z, 2027-01-31";
    if (!options.not_before.empty() && !begin) {
        return "--not-before: can't read '" + options.not_before + kExamples;
    }
    if (!options.not_after.empty() && !end) {
        return "--not-after: can't read '" + options.not_after + kExamples;
    }
    if (begin && end && *end <= *begin) return "--not-after: is not after --not-before";
    return {};
}

std::string shown_time(WallTime time) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text.data();
}

template <class Items, class NameOf>
void print_list(std::ostream& out, const char* name, const Items& items, const NameOf& name_of) {
    out << name << ':';
    if (items.empty()) out << (std::string_view(name) == "scopes" ? " none" : " any");
    for (std::size_t i = 0; i < items.size(); ++i)
        out << (i == 0 ? " " : ", ") << name_of(items[i]);
    out << '\n';
}

// Why the key lets nothing in now; empty: it does.
std::string objection_to(const config::ConsumerKey& consumer, const config::KeyHash& key,
                         WallTime now) {
    if (consumer.disabled) return "it is disabled";
    if (now < key.not_before) return "not before " + shown_time(key.not_before);
    if (now >= key.not_after) return "it has expired at " + shown_time(key.not_after);
    return {};
}

int run_check(const std::string& path, std::istream& in, std::ostream& out, std::ostream& err) {
    const config::Loaded loaded = config::load(path, config::process_environment());
    if (!loaded.ok()) {
        err << config::to_text(loaded.findings) << "rotary key check: " << path << ": has errors\n";
        return 1;
    }
    std::string text(kMostInput, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    return check_key(loaded.resources, text::trim(std::string_view(text).substr(0, end)),
                     read_clock().wall, out);
}

void add_new(cli::Command& key) {
    auto options = std::make_shared<NewKeyOptions>();
    cli::Command command =
        key.command("new",
                    "Make a key: it is printed alone on standard output, this once, and the\n"
                    "ConsumerKey with its hash on standard error");
    command.option("--consumer", options->consumer, "Whose key it is").required().takes("NAME");
    command.option("--not-before", options->not_before, "When it begins to be valid").takes("TIME");
    command
        .option("--not-after", options->not_after,
                "From when on it is not valid: 2027-01-31T12:00:00Z, or a day")
        .takes("TIME");
    command.runs([options] { return make_key(*options, std::cout, std::cerr); });
}

void add_check(cli::Command& key) {
    auto path = std::make_shared<std::string>();
    cli::Command command = key.command(
        "check", "Read a key from standard input and say whose it is and what it is good for");
    command.option("-c,--config", *path, "rotary.yaml").required();
    command.notes("Exit code 0: it is valid; 1: it is not, or the configuration has errors.");
    command.runs([path] { return run_check(*path, std::cin, std::cout, std::cerr); });
}

}  // namespace

int make_key(const NewKeyOptions& options, std::ostream& out, std::ostream& err) {
    if (const std::string why = objection_to(options); !why.empty()) {
        err << "rotary key new: " << why << '\n';
        return 2;
    }
    const std::string key = auth::make_api_key();
    const auth::ApiKeyId id = auth::id_of(key);
    out << key << '\n' << std::flush;
    err << "# The key is on standard output and nowhere else: Rotary knows it by its hash.\n"
           "apiVersion: rotary.dev/v1alpha1\nkind: ConsumerKey\nmetadata: {name: "
        << quoted(may_name_object(options.consumer) ? options.consumer : "consumer")
        << "}\nspec:\n  consumer: " << quoted(options.consumer) << "\n  keys:\n    - {hash: \""
        << auth::hash_text(auth::digest_of(key)) << '"';
    if (!options.not_before.empty()) err << ", notBefore: " << quoted(options.not_before);
    if (!options.not_after.empty()) err << ", notAfter: " << quoted(options.not_after);
    err << ", note: " << quoted(std::string_view(id.data(), id.size())) << "}\n";
    return 0;
}

int check_key(const config::Resources& resources, std::string_view key, WallTime now,
              std::ostream& out) {
    if (!auth::is_whole_api_key(key)) {
        out << "valid: no, this is not a key of Rotary's, or it was copied with a mistake\n";
        return 1;
    }
    const auth::ApiKeyId id = auth::id_of(key);
    out << "key_id: " << std::string_view(id.data(), id.size()) << '\n';
    const std::string hash = auth::hash_text(auth::digest_of(key));
    for (const config::ConsumerKey& consumer : resources.consumer_keys) {
        for (const config::KeyHash& known : consumer.keys) {
            if (known.hash != hash) continue;
            const auto name_of = [](const config::Reference& reference) { return reference.name; };
            out << "consumer: " << consumer.consumer << '\n';
            print_list(out, "apis", consumer.apis, name_of);
            print_list(out, "models", consumer.models, name_of);
            print_list(out, "scopes", consumer.scopes,
                       [](const std::string& scope) { return scope; });
            const std::string why = objection_to(consumer, known, now);
            out << "valid: " << (why.empty() ? "yes" : "no, " + why) << '\n';
            return why.empty() ? 0 : 1;
        }
    }
    out << "valid: no, no ConsumerKey has its hash\n";
    return 1;
}

void add_key_command(cli::Command& root) {
    cli::Command key = root.command("key", "API keys of consumers: make one, or look one up");
    key.needs_command();
    add_new(key);
    add_check(key);
}

}  // namespace rotary::tools
