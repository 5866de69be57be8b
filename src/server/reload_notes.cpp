#include "server/reload_notes.hpp"

namespace rotary::server {

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

// API and environment of those that had a list of models and have routes without one now.
std::set<std::string> rotations_lost(const routing::Snapshot& then, const routing::Snapshot& now) {
    const auto places = [](const routing::Snapshot& snapshot, bool with_list) {
        std::set<std::string> names;
        for (const routing::Route& route : snapshot.routes) {
            if (route.list.has_value() == with_list) {
                names.insert(route.api + "/" + std::string(to_string(route.environment)));
            }
        }
        return names;
    };
    const std::set<std::string> had = places(then, true);
    const std::set<std::string> have = places(now, true);
    std::set<std::string> lost;
    for (const std::string& name : places(now, false)) {
        if (had.contains(name) && !have.contains(name)) lost.insert(name);
    }
    return lost;
}

std::string restart_advice(const std::vector<std::string>& waiting) {
    const std::string names = joined(waiting);
    return names.empty() ? "" : "these settings wait for a restart: " + names + "\n";
}

}  // namespace rotary::server
