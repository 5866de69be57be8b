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

}  // namespace

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
    if (!is_loopback(admin.address)) {
        checker.warning(admin.address_mark,
                        "whoever reaches this address can read the status and suspend models; "
                        "it asks for no credentials");
    }
    const bool was_loaded = !checker.config.mark.file.empty();
    if (was_loaded && checker.resources.apis.empty() && !checker.anything_unread()) {
        checker.warning(checker.config.mark.below("resources"),
                        "no API is among the resources: every request is answered 404");
    }
}

}  // namespace rotary::config
