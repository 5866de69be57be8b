#include "kubernetes/held_objects.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace rotary::kubernetes {

namespace {

constexpr const char* kLastGood = "its last good version";
constexpr const char* kLeftOut = "nothing: it never was right";
constexpr const char* kGone = "it is deleted, and objects still refer to it";
constexpr const char* kDragged = "nothing: what it refers to is not there";

bool say_the_same(const ObjectMap& objects, const std::string& name, const KnownObject& known) {
    const auto found = objects.find(name);
    return found != objects.end() && found->second->text == known.text;
}

// To delete one of these is to take it out of service, whatever is still attached to it.
bool is_what_is_served(std::string_view object) {
    return object.starts_with("API ") || object.starts_with("HTTPRoute ");
}

// The name alone, as references have it and messages quote it: without the namespace where that is
// the default one.
bool is_named_in(std::string_view message, std::string_view object) {
    object.remove_prefix(object.find(' ') + 1);
    const std::string_view name = object.substr(object.find('/') + 1);
    const auto quoted = [message](std::string_view text) {
        return message.find('"' + std::string(text) + '"') != message.npos;
    };
    return quoted(object) || quoted(name);
}

// One settling under way.
class Settling {
public:
    Settling(const ObjectMap& now, const ObjectMap& good) : now_(now), good_(good) {
        settled_.chosen = now;
    }

    // Changes what the findings call wrong. False: none of them is an object's.
    bool change(const std::vector<config::Finding>& findings) {
        std::set<std::string> wrong;
        for (const config::Finding& finding : findings) {
            const bool is_error = finding.severity == config::Severity::error;
            if (!is_error || !settled_.chosen.contains(finding.file)) continue;
            wrong.insert(finding.file);
            if (!is_told(finding)) settled_.findings.push_back(finding);
        }
        for (const std::string& name : wrong) put_right(name, findings);
        return !wrong.empty();
    }
    // Everything as it was.
    void give_up() {
        for (const auto& [name, object] : now_) {
            if (!say_the_same(good_, name, *object)) {
                settled_.held[name] = good_.contains(name) ? kLastGood : kLeftOut;
            }
        }
        settled_.chosen = good_;
    }
    const ObjectMap& chosen() const { return settled_.chosen; }
    Settled finish(config::Loaded loaded) {
        settled_.loaded = std::move(loaded);
        return std::move(settled_);
    }

private:
    bool is_told(const config::Finding& finding) const {
        return std::any_of(settled_.findings.begin(), settled_.findings.end(),
                           [&](const config::Finding& other) {
                               return other.file == finding.file && other.path == finding.path &&
                                      other.message == finding.message;
                           });
    }
    void put_right(const std::string& name, const std::vector<config::Finding>& findings) {
        const auto good = good_.find(name);
        const auto chosen = settled_.chosen.find(name);
        if (good != good_.end() && good->second->text != chosen->second->text) {
            chosen->second = good->second;
            settled_.held[name] = kLastGood;
        } else if (good == good_.end() || !bring_back(name, findings)) {
            settled_.chosen.erase(chosen);
            settled_.held[name] = good == good_.end() ? kLeftOut : kDragged;
        }
    }
    // It was right before: what its findings name has changed since, is new, or is gone.
    bool bring_back(const std::string& name, const std::vector<config::Finding>& findings) {
        bool any = false;
        for (const std::string& other : changed()) {
            const bool is_named =
                std::any_of(findings.begin(), findings.end(), [&](const config::Finding& finding) {
                    return finding.file == name && finding.severity == config::Severity::error &&
                           is_named_in(finding.message, other);
                });
            const bool is_withdrawn = !now_.contains(other) && is_what_is_served(other);
            const bool is_dropped = settled_.held.contains(other);  // by this settling
            if (other == name || !is_named || is_withdrawn || is_dropped) continue;
            any = true;
            const auto good = good_.find(other);
            if (good == good_.end()) {
                settled_.chosen.erase(other);
                settled_.held[other] = kLeftOut;
            } else {
                settled_.chosen[other] = good->second;
                settled_.held[other] = now_.contains(other) ? kLastGood : kGone;
            }
        }
        return any;
    }
    // What differs between the chosen ones and the good ones.
    std::set<std::string> changed() const {
        std::set<std::string> names;
        for (const auto& [name, object] : good_) {
            if (!say_the_same(settled_.chosen, name, *object)) names.insert(name);
        }
        for (const auto& [name, object] : settled_.chosen) {
            if (!good_.contains(name)) names.insert(name);
        }
        return names;
    }

    const ObjectMap& now_;
    const ObjectMap& good_;
    Settled settled_;
};

}  // namespace

Settled settle(const ObjectMap& now, const ObjectMap& good, const TryObjects& attempt) {
    Settling settling(now, good);
    config::Loaded loaded = attempt(settling.chosen());
    for (int i = 0; i < kHeldTries && !loaded.ok(); ++i) {
        if (!settling.change(loaded.findings)) return settling.finish(std::move(loaded));
        loaded = attempt(settling.chosen());
    }
    if (!loaded.ok()) {
        settling.give_up();
        loaded = attempt(settling.chosen());
    }
    return settling.finish(std::move(loaded));
}

}  // namespace rotary::kubernetes
