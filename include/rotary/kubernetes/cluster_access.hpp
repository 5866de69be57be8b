#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/config/load.hpp>
#include <rotary/config/settings/kubernetes.hpp>
#include <rotary/control/https_get_url.hpp>
#include <rotary/net/tls.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace rotary::kubernetes {

// Where the API server is, whom to trust and how this process proves who it is: by the service
// account of its pod, or by a kubeconfig. Reads files, which may block; control thread only.
class ClusterAccess {
public:
    // Throws std::runtime_error with a sentence that says what is missing and what to do about it.
    ClusterAccess(const config::KubernetesSettings& settings,
                  const config::Environment& environment);

    const control::HttpUrl& url() const noexcept { return url_; }
    const std::string& server_name() const noexcept { return server_name_; }
    const std::shared_ptr<const net::TlsContext>& tls() const noexcept { return tls_; }
    // Its own: the pod's, or the context's.
    const std::string& name_space() const noexcept { return name_space_; }

    // The bearer token, empty without one. A kubelet renews it in its file, which is read again
    // once it is kTokenAge old (the authority's certificates too).
    const std::string& token(SteadyTime now);
    // Reads all again now, as after a 401.
    void read_again(SteadyTime now);

    static constexpr std::chrono::seconds kTokenAge{60};

private:
    struct Files {
        std::string token, ca, certificate, key;  // paths; empty: none
    };
    void from_account(const config::KubernetesSettings& settings,
                      const config::Environment& environment);
    void from_kubeconfig(const config::KubernetesSettings& settings);
    void make_tls();

    control::HttpUrl url_;
    std::string server_name_;
    std::string name_space_ = "default";
    Files files_;
    std::string token_, ca_, certificate_, key_;  // texts
    std::shared_ptr<const net::TlsContext> tls_;
    bool tls_is_due_ = false;  // of texts that have changed
    SteadyTime read_at_{};
};

}  // namespace rotary::kubernetes
