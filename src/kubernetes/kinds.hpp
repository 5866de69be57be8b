#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::kubernetes {

// A kind of objects that is served, as the API names it.
struct Kind {
    std::string_view name;
    std::string_view plural;
    std::string_view group;                  // empty: the core's
    std::vector<std::string_view> versions;  // the newest first
    // Secrets and ConfigMaps: read where others refer to them.
    bool is_named = false;

    std::string api_version(std::size_t version) const;  // dp.wso2.com/v1alpha3
};

std::span<const Kind> kinds();
const Kind& secret_kind();
const Kind& config_map_kind();

// What is asked for of one kind: everything, or what selectors leave.
struct Selection {
    std::string name_space{};      // empty: of all
    std::string label_selector{};  // as it is written, not escaped
    std::string field_selector{};
    unsigned page = 500;  // objects in an answer to a LIST
};

// /apis/dp.wso2.com/v1alpha3/namespaces/default/apis?limit=500, from where `continue_at` says.
std::string list_target(const Kind& kind, std::size_t version, const Selection& selection,
                        std::string_view continue_at);
// The same with watch=1 from a version on, ended by the server after so many seconds.
struct WatchFrom {
    std::string_view resource_version;
    unsigned seconds = 0;
};
std::string watch_target(const Kind& kind, std::size_t version, const Selection& selection,
                         const WatchFrom& from);

// Where one object is: /apis/dp.wso2.com/v1alpha3/namespaces/default/apis/chat. Empty: the kind is
// none of kinds().
std::string object_target(std::string_view api_version, std::string_view kind,
                          std::string_view name_space, std::string_view name);

// A value in a query (RFC 3986, section 2.3: all but unreserved letters escaped).
std::string escaped(std::string_view text);

// The rule that a Role needs, for people: what to add where the API server answers 403.
std::string role_rule(const Kind& kind, std::string_view object_name);

}  // namespace rotary::kubernetes
