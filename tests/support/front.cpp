#include <support/front.hpp>

#include <support/certificates.hpp>
#include <support/eventually.hpp>
#include <support/json.hpp>

#include <algorithm>

namespace rotary::test {

double metric_of(std::string_view page, std::string_view series) {
    while (!page.empty()) {
        const std::string_view line = page.substr(0, page.find('\n'));
        page.remove_prefix(std::min(line.size() + 1, page.size()));
        if (!line.starts_with(series) || line.substr(series.size()).substr(0, 1) != " ") continue;
        return std::stod(std::string(line.substr(series.size() + 1)));
    }
    return 0.0;
}

double sum_of(std::string_view page, std::string_view name, std::string_view with) {
    double sum = 0;
    while (!page.empty()) {
        const std::string_view line = page.substr(0, page.find('\n'));
        page.remove_prefix(std::min(line.size() + 1, page.size()));
        if (!line.starts_with(name) || line.size() == name.size()) continue;
        if (line[name.size()] != '{' && line[name.size()] != ' ') continue;
        if (line.find(with) == std::string_view::npos) continue;
        sum += std::stod(std::string(line.substr(line.rfind(' ') + 1)));
    }
    return sum;
}

ClientOptions Front::client() const {
    ClientOptions options;
    options.port = port_;
    options.sni = "default.gw.wso2.com";
    options.ca = certificates().ca;
    return options;
}

Response Front::admin_request(const Request& request) const {
    ClientOptions options;
    options.port = admin_port_;
    options.tls = false;
    Request sent = request;
    sent.headers.emplace_back("Host", "localhost");
    return fetch(options, sent);
}

std::string Front::admin(const std::string& target) const {
    Request request;
    request.target = target;
    return admin_request(request).body;
}

double Front::metric(const std::string& series) const {
    return metric_of(admin("/metrics"), series);
}

bool Front::wait_for_state(const std::string& model, const std::string& state,
                           std::chrono::milliseconds timeout) const {
    return eventually(
        [&] {
            const std::string page = admin("/api/v1/models");
            for (std::size_t i = 0; i < json_size(page, "models"); ++i) {
                const std::string place = "models." + std::to_string(i);
                if (json_at(page, place + ".model") == model &&
                    json_at(page, place + ".state") == state) {
                    return true;
                }
            }
            return false;
        },
        timeout);
}

}  // namespace rotary::test
