#include <rotary/routing/shared_state.hpp>

#include <cstdint>
#include <utility>

namespace rotary::routing {

std::shared_ptr<rotation::EntryState> SharedState::entry(const std::string& key) {
    std::shared_ptr<rotation::EntryState>& state = entries_[key];
    if (!state) state = std::make_shared<rotation::EntryState>();
    return state;
}

std::shared_ptr<rotation::BackendState> SharedState::backend(const std::string& key) {
    std::shared_ptr<rotation::BackendState>& state = backends_[key];
    if (!state) state = std::make_shared<rotation::BackendState>();
    return state;
}

std::shared_ptr<rotation::RetryReserve> SharedState::retry_reserve(const std::string& key) {
    std::shared_ptr<rotation::RetryReserve>& reserve = retry_reserves_[key];
    if (!reserve) reserve = std::make_shared<rotation::RetryReserve>();
    return reserve;
}

std::shared_ptr<rotation::Cursor> SharedState::cursor(const std::string& key,
                                                      const std::string& entries,
                                                      std::vector<std::uint32_t> weights) {
    KnownCursor& known = cursors_[key];
    if (!known.cursor || known.entries != entries || known.cursor->weights() != weights) {
        const double progress = known.cursor ? known.cursor->progress() : start_of(key);
        known.entries = entries;
        known.cursor = std::make_shared<rotation::Cursor>(std::move(weights), progress);
    }
    return known.cursor;
}

// In [0, 1).
double SharedState::start_of(const std::string& key) const noexcept {
    if (replica_.empty()) return 0.0;
    std::uint64_t mixed = 14'695'981'039'346'656'037u;  // FNV-1a
    for (const std::string* text : {&replica_, &key}) {
        for (const char c : *text) {
            mixed = (mixed ^ static_cast<unsigned char>(c)) * 1'099'511'628'211u;
        }
    }
    mixed *= 0x9e3779b97f4a7c15u;  // its low digits alone are well mixed: into the high ones
    return static_cast<double>(mixed >> 11) / 9'007'199'254'740'992.0;
}

quota::ConsumerUse* SharedState::consumer_use(std::size_t most) {
    if (most == 0) return nullptr;
    if (!consumer_use_) consumer_use_ = std::make_unique<quota::ConsumerUse>();
    consumer_use_->set_most(most);
    return consumer_use_.get();
}

void SharedState::prune() {
    std::erase_if(entries_, [](const auto& row) { return row.second.use_count() == 1; });
    std::erase_if(backends_, [](const auto& row) { return row.second.use_count() == 1; });
    std::erase_if(retry_reserves_, [](const auto& row) { return row.second.use_count() == 1; });
    counters_.prune();
    std::erase_if(cursors_, [](const auto& row) { return row.second.cursor.use_count() == 1; });
}

}  // namespace rotary::routing
