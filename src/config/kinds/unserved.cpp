#include "config/kinds/unserved.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <stdexcept>

#include "config/check/checker.hpp"

namespace rotary::config {
namespace {

constexpr const char* kDataPlane = "dp.wso2.com";

constexpr UnservedRow kRows[] = {
    {"BackendJWT", kDataPlane, "backends get no JWT about the caller"},
    {"InterceptorService", kDataPlane, "requests and answers are not sent through it"},
    {"backendJwtPolicy", nullptr, "backends get no JWT about the caller"},
    {"requestInterceptors", nullptr, "requests are not sent through interceptors"},
    {"responseInterceptors", nullptr, "answers are not sent through interceptors"},
    {"mtls", nullptr, "clients' certificates are not verified"},
};

// Served by now: files that once had to accept their want still say so.
constexpr std::string_view kServedByNow[] = {
    "AIRateLimitPolicy",  "RateLimitPolicy",        "Subscription", "Application",
    "ApplicationMapping", "subscriptionValidation", "custom"};

// spec.rules[3].filters[0] and spec.rules[1].filters[2] are one field.
std::string without_indices(const std::string& path) {
    std::string field;
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (path[i] == '[') {
            i = std::min(path.find(']', i), path.size());
        } else {
            field += path[i];
        }
    }
    return field;
}

// Fields without effect are told of once each, however many objects have them.
void report_inert(Checker& checker) {
    struct Told {
        const Unserved* first;
        std::size_t more = 0;
    };
    std::map<std::string, Told> told;
    for (const Unserved& one : checker.resources.unserved) {
        if (one.is_inert) {
            const std::string key = without_indices(one.mark.path) + '\n' + one.consequence;
            const auto [known, is_new] = told.try_emplace(key, Told{&one});
            known->second.more += is_new ? 0 : 1;
        }
    }
    for (const auto& [key, one] : told) {
        std::string message = "is not served: " + one.first->consequence;
        if (one.more > 0) {
            message += " (nor in " + std::to_string(one.more) + " more places)";
        }
        checker.warning(one.first->mark, std::move(message));
    }
}

}  // namespace

const UnservedRow* find_unserved(std::string_view name, std::string_view group) {
    for (const UnservedRow& row : kRows) {
        if (row.name == name && (row.group == nullptr ? "" : row.group) == group) {
            return &row;
        }
    }
    return nullptr;
}

const UnservedRow& unserved_field(std::string_view name) {
    const UnservedRow* row = find_unserved(name, "");
    if (row == nullptr) {
        throw std::logic_error("not among the fields that are not served: " + std::string(name));
    }
    return *row;
}

std::vector<std::string> acceptable_names() {
    std::vector<std::string> names;
    for (const UnservedRow& row : kRows) {
        names.emplace_back(row.name);
    }
    names.insert(names.end(), std::begin(kServedByNow), std::end(kServedByNow));
    return names;
}

void Checker::unserved(const Mark& mark, const std::string& name, const std::string& consequence) {
    const std::vector<std::string>& accepted = config.accept_unserved;
    const std::string message =
        (mark.path.ends_with(name) ? "" : name + ' ') + "is not served yet: " + consequence;
    if (std::find(accepted.begin(), accepted.end(), name) != accepted.end()) {
        warning(mark, message);
        return;
    }
    error(mark, message + "; take it out, or accept that by `--accept-unserved " + name +
                    "` or by `accept_unserved: [" + name + "]` in rotary.yaml");
}

void check_unserved(Checker& checker) {
    for (const Unserved& one : checker.resources.unserved) {
        if (!one.is_inert) {
            checker.unserved(one.mark, one.name, one.consequence);
        }
    }
    report_inert(checker);
}

}  // namespace rotary::config
