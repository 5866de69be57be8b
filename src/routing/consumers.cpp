// What the keys of consumers are good for.
#include <rotary/auth/api_key.hpp>
#include <rotary/rotation/cursor.hpp>
#include "routing/compile.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace rotary::routing {

namespace {

using ModelNames = std::set<std::string>;

std::uint32_t number_of(std::map<ModelNames, std::uint32_t>& sets, const config::ConsumerKey& key) {
    if (key.models.empty()) return auth::KeyOwner::kAllModels;
    ModelNames names;
    for (const config::Reference& model : key.models) names.insert(model.name);
    return sets.emplace(std::move(names), static_cast<std::uint32_t>(sets.size())).first->second;
}

auth::KeyOwner owner_of(const config::Resources& resources, const config::ConsumerKey& key) {
    auth::KeyOwner owner;
    owner.consumer = key.consumer;
    owner.disabled = key.disabled;
    owner.scopes = key.scopes;
    owner.has_apis = !key.apis.empty();
    for (std::uint32_t i = 0; owner.has_apis && i < resources.apis.size(); ++i) {
        if (config::may_call(key, resources.apis[i])) owner.apis.push_back(i);
    }
    return owner;
}

// The weights of the entries whose models are among these; 0 for the others.
std::vector<std::uint32_t> weights_of(const EntryList& list, const ModelNames& models) {
    std::vector<std::uint32_t> weights;
    for (const Entry& entry : list.entries) {
        weights.push_back(models.contains(entry.model) ? entry.weight : 0);
    }
    return weights;
}

// Parts of a list that are the same ones have one order, whatever else their sets hold.
void add_parts(SharedState& shared, EntryList& list, const std::vector<const ModelNames*>& sets) {
    std::vector<std::uint32_t> whole;
    std::string identity;
    for (const Entry& entry : list.entries) {
        whole.push_back(entry.weight);
        identity += entry.id + "\n";
    }
    std::map<std::vector<std::uint32_t>, std::uint32_t> known;
    known.emplace(std::vector<std::uint32_t>(whole.size(), 0), EntryList::kNothing);
    known.insert_or_assign(whole, EntryList::kWhole);
    for (const ModelNames* models : sets) {
        const std::vector<std::uint32_t> weights = weights_of(list, *models);
        const auto place = static_cast<std::uint32_t>(list.narrowed.size());
        const auto [part, is_new] = known.emplace(weights, place);
        list.parts.push_back(part->second);
        if (!is_new) continue;
        // The same entries of the same list are the same part after a reload too.
        std::string key = joined({"part", list.api, to_string(list.environment), list.policy});
        for (std::size_t i = 0; i < weights.size(); ++i) {
            if (weights[i] != 0) key += "\n" + list.entries[i].id;
        }
        list.narrowed.push_back(list.rotation.narrowed(shared.cursor(key, identity, weights)));
    }
}

}  // namespace

const rotation::Rotation* EntryList::rotation_for(std::uint32_t model_set) const noexcept {
    if (model_set == kWhole) return &rotation;
    const std::uint32_t part = parts[model_set];
    if (part == kNothing) return nullptr;
    return part == kWhole ? &rotation : &narrowed[part];
}

void Compiler::add_consumers() {
    std::map<ModelNames, std::uint32_t> numbers;
    std::vector<auth::KeyOwner> owners;
    std::vector<auth::KnownKey> keys;
    for (const config::ConsumerKey& consumer : loaded.resources.consumer_keys) {
        const auto owner = static_cast<std::uint32_t>(owners.size());
        owners.push_back(owner_of(loaded.resources, consumer));
        owners.back().model_set = number_of(numbers, consumer);
        for (const config::KeyHash& key : consumer.keys) {
            const auto digest = auth::parse_hash(key.hash);
            if (!digest) continue;  // the reader has reported it
            keys.push_back({*digest, key.not_before, key.not_after, owner});
        }
        if (consumer.max_concurrent == 0) continue;
        snapshot->consumer_limits.set(InFlight::key_of("consumer", consumer.consumer),
                                      consumer.max_concurrent);
    }
    const std::size_t most = loaded.config.limits.model_sets;
    if (numbers.size() > most) {
        error(loaded.config.mark, "limits.model_sets",
              std::to_string(numbers.size()) +
                  " different lists of models are in ConsumerKeys, more than limits.model_sets, " +
                  std::to_string(most));
        return;
    }
    std::vector<const ModelNames*> sets(numbers.size());
    for (const auto& [models, number] : numbers) sets[number] = &models;
    for (EntryList& list : snapshot->lists) add_parts(shared, list, sets);
    snapshot->keys = auth::KeyTable(std::move(owners), std::move(keys));
    snapshot->in_flight = shared.in_flight();
}

}  // namespace rotary::routing
