#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "config/check/checker.hpp"

namespace rotary::config {
namespace {

std::string place_of(const Mark& mark) { return mark.file + ':' + std::to_string(mark.line); }

void check_hashes(Checker& checker, const ConsumerKey& one,
                  std::map<std::string_view, const Mark*>& known) {
    for (const KeyHash& key : one.keys) {
        if (key.hash.empty()) {
            continue;
        }
        const auto [first, is_new] = known.emplace(key.hash, &key.mark);
        if (!is_new) {
            checker.error(key.mark, "this key is at " + place_of(*first->second) +
                                        " already, and a key has one owner");
        }
        if (key.not_after <= std::chrono::system_clock::now()) {
            checker.warning(key.not_after_mark, "the key has expired: take it out");
        }
    }
}

// The models of the rotations that a rule of the API has.
void add_models(const Resources& resources, const Api& api, std::set<std::string_view>& models) {
    for (const auto* list : {&api.production, &api.sandbox}) {
        for (const Reference& reference : *list) {
            const HttpRoute* route = resources.find_route(reference.name);
            for (std::size_t i = 0; route != nullptr && i < route->rules.size(); ++i) {
                const auto policy = effective_policy(resources, api, route->rules[i]);
                if (policy.rotation == nullptr) {
                    continue;
                }
                const auto& entries = list == &api.production ? policy.rotation->production
                                                              : policy.rotation->sandbox;
                for (const ModelEntry& entry : entries) {
                    models.insert(entry.model);
                }
            }
        }
    }
}

void check_models(Checker& checker, const ConsumerKey& one) {
    if (one.models.empty() || checker.anything_unread()) {
        return;
    }
    bool has_api = false;
    std::set<std::string_view> models;
    for (const Api& api : checker.resources.apis) {
        if (may_call(one, api)) {
            has_api = true;
            add_models(checker.resources, api, models);
        }
    }
    const std::vector<std::string> names(models.begin(), models.end());
    for (const Reference& model : one.models) {
        if (has_api && !models.contains(model.name)) {
            checker.warning(model.mark, "no rotation of these APIs has the model " +
                                            shown(model.name) + what_is_there(model.name, names));
        }
    }
}

}  // namespace

bool may_call(const ConsumerKey& key, const Api& api) {
    const auto is_it = [&](const Reference& name) { return name.name == api.metadata.name; };
    return key.apis.empty() || std::any_of(key.apis.begin(), key.apis.end(), is_it);
}

void check_consumer_keys(Checker& checker) {
    std::map<std::string_view, const Mark*> hashes;
    std::map<std::string_view, const ConsumerKey*> limits;
    for (const ConsumerKey& one : checker.resources.consumer_keys) {
        check_hashes(checker, one, hashes);
        for (const Reference& api : one.apis) {
            checker.must_exist("API", api.name, api.mark, checker.resources.apis);
        }
        check_models(checker, one);
        if (one.max_concurrent == 0) {
            continue;
        }
        const auto [first, is_new] = limits.emplace(one.consumer, &one);
        if (!is_new && first->second->max_concurrent != one.max_concurrent) {
            checker.error(one.max_concurrent_mark,
                          "the consumer " + shown(one.consumer) + " has another limit at " +
                              place_of(first->second->max_concurrent_mark) +
                              ", and what it has in flight is counted once");
        }
    }
}

}  // namespace rotary::config
