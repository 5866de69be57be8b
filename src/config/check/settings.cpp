#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include <rotary/config/settings/admin_token.hpp>
#include <rotary/config/settings/kubeconfig.hpp>
#include "config/check/certificate.hpp"
#include "config/check/checker.hpp"

namespace rotary::config {
namespace {

bool is_loopback(const std::string& address) {
    return address.starts_with("127.") || address == "::1";
}

bool is_any(const std::string& address) { return address == "0.0.0.0" || address == "::"; }

bool collide(const std::string& a, std::uint16_t a_port, const std::string& b,
             std::uint16_t b_port) {
    return a_port == b_port && a_port != 0 && (a == b || is_any(a) || is_any(b));
}

void check_listener(Checker& checker, const Listener& listener) {
    if (listener.tls) {
        check_tls_files(checker, *listener.tls);
        if (listener.plaintext) {
            checker.error(listener.plaintext_mark,
                          "this listener has tls; it can't be plaintext as well");
        }
    } else if (listener.plaintext) {
        checker.warning(listener.plaintext_mark,
                        "tokens and answers travel unencrypted on this listener");
    } else {
        checker.error(listener.mark.below("tls"),
                      "is required; `plaintext: true` is the only way to serve without it");
    }
}

// A token that can be guessed would be worse than none.
void check_admin_token(Checker& checker, const Admin& admin) {
    const auto file = checker.files.find(admin.token_file);
    if (admin.token_file.empty() || file == checker.files.end()) return;
    const std::string_view token = admin_token(file->second.reveal());
    const bool is_plain =
        std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
    if (token.size() >= kLeastAdminToken && token.size() <= kMostAdminToken && is_plain) return;
    checker.error(admin.token_file_mark,
                  admin.token_file + " must hold one line of " + std::to_string(kLeastAdminToken) +
                      " to " + std::to_string(kMostAdminToken) +
                      " visible ASCII characters, such as `openssl rand -hex 32` prints");
}

// The server opens it when it starts, and then says no itself. Another user may start it than the
// one who checks, and a folder that has gone meanwhile must hold up no reload.
void check_access_file(Checker& checker, const Log& log) {
    if (log.access_file.empty()) return;
    const std::filesystem::path file = log.access_file;
    const std::string folder = file.has_parent_path() ? file.parent_path().string() : ".";
    std::error_code error;
    if (std::filesystem::is_directory(file, error)) {
        checker.error(log.access_file_mark, log.access_file + " is a folder, and must be a file");
    } else if (!std::filesystem::is_directory(folder, error)) {
        checker.warning(log.access_file_mark,
                        folder + " is no folder: a start would fail for want of the access log");
    } else if (::access(folder.c_str(), W_OK | X_OK) != 0) {
        checker.warning(log.access_file_mark,
                        "this user may not write to " + folder + ", where the access log goes");
    }
    if (log.access == AccessLogFormat::off) {
        checker.warning(log.access_file_mark, "log.access is off: nothing is written there");
    }
}

void check_tracing(Checker& checker, const Tracing& tracing) {
    if (tracing.endpoint.empty()) {
        for (const auto& [path, mark] :
             {std::pair(&tracing.headers_file, &tracing.headers_file_mark),
              std::pair(&tracing.ca, &tracing.ca_mark)}) {
            if (path->empty()) continue;
            checker.warning(*mark, "there is no tracing.endpoint: nothing is sent with it");
        }
        return;
    }
    if (tracing.ca.empty() || !checker.files.contains(tracing.ca)) return;
    const CertificateChain chain = read_certificates(tracing.ca_pem);
    if (!chain.error.empty()) checker.error(tracing.ca_mark, tracing.ca + ": " + chain.error);
    if (!tracing.endpoint.starts_with("https://")) {
        checker.warning(tracing.ca_mark, "tracing.endpoint is not https: no certificate is asked");
    }
}

}  // namespace

std::string_view admin_token(std::string_view text) noexcept {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
    return text;
}

void check_settings(Checker& checker) {
    const std::vector<Listener>& listeners = checker.config.listeners;
    const Admin& admin = checker.config.admin;
    for (std::size_t i = 0; i < listeners.size(); ++i) {
        const Listener& listener = listeners[i];
        check_listener(checker, listener);
        for (std::size_t j = 0; j < i; ++j) {
            if (collide(listener.address, listener.port, listeners[j].address, listeners[j].port)) {
                const std::string line = std::to_string(listeners[j].mark.line);
                checker.error(listener.port_mark,
                              "the listener on line " + line + " has this port already");
            }
        }
        if (collide(listener.address, listener.port, admin.address, admin.port)) {
            checker.error(listener.port_mark, "the admin listener has this port already");
        }
    }
    if (!is_loopback(admin.address) && admin.token_file.empty()) {
        checker.error(admin.address_mark,
                      "whoever reaches this address could read the status and suspend models: "
                      "admin.token_file must name a file with a token");
    }
    check_admin_token(checker, admin);
    check_access_file(checker, checker.config.log);
    check_tracing(checker, checker.config.tracing);
    check_state(checker);
    const KubernetesSettings& kubernetes = checker.config.kubernetes;
    if (!kubernetes.kubeconfig.empty()) {
        read_kubeconfig(kubernetes.kubeconfig, kubernetes.context, checker.findings);
    }
    const bool was_loaded = !checker.config.mark.file.empty();
    const bool has_files = !checker.config.kubernetes.is_on;
    if (was_loaded && has_files && checker.resources.apis.empty() && !checker.anything_unread()) {
        checker.warning(checker.config.mark.below("resources"),
                        "no API is among the resources: every request is answered 404");
    }
}

}  // namespace rotary::config
