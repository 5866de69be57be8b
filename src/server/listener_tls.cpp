#include "server/listener_tls.hpp"

#include <rotary/server/server.hpp>

#include <algorithm>
#include <exception>
#include <stdexcept>

namespace rotary::server {

namespace {

std::string text_of(const config::NamedFiles& files, const std::string& path) {
    const auto found = files.find(path);
    return found == files.end() ? "" : std::string(found->second.reveal());
}

bool serve_alike(const config::Listener& one, const config::Listener& other) {
    return one.address == other.address && one.port == other.port &&
           one.tls.has_value() == other.tls.has_value();
}

// The listener that stands for one that is open: usually the one at its place.
const config::Listener* counterpart(const std::vector<config::Listener>& all,
                                    const config::Listener& open, std::size_t place) {
    if (place < all.size() && serve_alike(all[place], open)) return &all[place];
    const auto found = std::find_if(all.begin(), all.end(), [&open](const config::Listener& other) {
        return serve_alike(other, open);
    });
    return found == all.end() ? nullptr : &*found;
}

std::shared_ptr<const net::TlsContext> listener_tls(const config::Listener& listener,
                                                    const config::NamedFiles& files,
                                                    const std::string& ticket_keys) {
    if (!listener.tls) return nullptr;
    net::TlsContext::ServerOptions options;
    options.certificate_pem = text_of(files, listener.tls->certificate);
    options.key_pem = text_of(files, listener.tls->key);
    options.ticket_keys = ticket_keys;
    try {
        return net::TlsContext::server(options);
    } catch (const std::exception& error) {
        throw std::runtime_error(listener.mark.path + ".tls (" + listener.tls->certificate + ", " +
                                 listener.tls->key + "): " + error.what());
    }
}

}  // namespace

std::vector<std::shared_ptr<const net::TlsContext>> listeners_tls(
    const std::vector<config::Listener>& open, const std::vector<config::Listener>& wanted,
    const config::NamedFiles& files, const std::string& ticket_keys) {
    std::vector<std::shared_ptr<const net::TlsContext>> made;
    for (std::size_t i = 0; i < open.size(); ++i) {
        const config::Listener* listener = counterpart(wanted, open[i], i);
        made.push_back(listener == nullptr ? nullptr : listener_tls(*listener, files, ticket_keys));
    }
    return made;
}

void check_listeners(const config::Loaded& loaded, std::vector<config::Finding>& findings) {
    for (const config::Listener& listener : loaded.config.listeners) {
        try {
            listener_tls(listener, loaded.named_files, "");
        } catch (const std::exception& error) {
            findings.push_back(config::error_at(listener.tls->certificate_mark, error.what()));
        }
    }
}

}  // namespace rotary::server
