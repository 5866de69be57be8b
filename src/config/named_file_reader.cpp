#include "config/named_file_reader.hpp"

#include <rotary/config/yaml/file.hpp>

#include <utility>

#include "config/fingerprint.hpp"
#include "config/settings/named_files.hpp"

namespace rotary::config {

namespace {
constexpr std::size_t kMaxNamedFileBytes = std::size_t{16} * 1024 * 1024;
}  // namespace

void NamedFileReader::report(const Mark& mark, std::string message) {
    loaded_.findings.push_back(error_at(mark, std::move(message)));
}

// What a certificate, a key or a key set holds is as much a part of the configuration as what
// stands in its own files.
void NamedFileReader::read_file(const std::string& path, const Mark& asked_for) {
    if (path.empty() || loaded_.named_files.contains(path)) return;
    loaded_.files.push_back(path);
    FileText read = read_whole_file(path, kMaxNamedFileBytes);
    fingerprint_.add(read.error.empty() ? "named" : "unreadable", path,
                     read.error.empty() ? read.text : read.error);
    if (!read.error.empty()) {
        report(asked_for, read.error);
    } else if (read.text.size() > kMaxNamedFileBytes) {
        report(asked_for,
               path + " is larger than " + std::to_string(kMaxNamedFileBytes) + " bytes");
    } else {
        loaded_.named_files.emplace(path, Secret(std::move(read.text)));
    }
}

void NamedFileReader::read() {
    for (const auto& [path, mark] : files_of(loaded_.config)) read_file(path, mark);
    add_files(loaded_.named_files, loaded_.config, loaded_.findings);
    for (const TokenIssuer& issuer : loaded_.resources.issuers) {
        if (issuer.jwks) read_file(issuer.jwks->file, issuer.jwks->mark);
    }
    for (SecretObject& secret : loaded_.resources.secrets) {
        for (auto& [key, value] : secret.values) read_secret(value);
    }
}

// Editors and `echo` end a file with a line feed, which is none of the secret's.
void NamedFileReader::read_secret(SecretValue& value) {
    read_file(value.file, value.mark);
    const auto found = loaded_.named_files.find(value.file);
    if (found == loaded_.named_files.end()) {
        value.valid = value.valid && value.file.empty();
        return;
    }
    std::string_view text = found->second.reveal();
    text = text.substr(0, text.find_last_not_of("\r\n") + 1);
    if (text.empty()) {
        report(value.mark, value.file + " is empty: there is no secret in it");
        value.valid = false;
    }
    value.value = Secret(value.prefix + std::string(text));
}

}  // namespace rotary::config
