#include "config/settings/named_files.hpp"

#include "config/settings/read_state.hpp"
#include "config/settings/read_tracing.hpp"

namespace rotary::config {

std::vector<NamedFile> files_of(const Config& config) {
    std::vector<NamedFile> files;
    for (const Listener& listener : config.listeners) {
        if (!listener.tls) continue;
        files.push_back({listener.tls->certificate, listener.tls->certificate_mark});
        files.push_back({listener.tls->key, listener.tls->key_mark});
    }
    files.push_back({config.admin.token_file, config.admin.token_file_mark});
    files.push_back({config.tracing.headers_file, config.tracing.headers_file_mark});
    files.push_back({config.tracing.ca, config.tracing.ca_mark});
    if (const auto& redis = config.state.redis) {
        files.push_back({redis->password_file, redis->password_file_mark});
        files.push_back({redis->ca, redis->ca_mark});
    }
    return files;
}

void add_files(const NamedFiles& files, Config& config, std::vector<Finding>& findings) {
    add_tracing_files(files, config.tracing, findings);
    add_state_files(files, config.state, findings);
}

}  // namespace rotary::config
