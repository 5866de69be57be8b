#include <rotary/routing/shared_state.hpp>

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
        const double progress = known.cursor ? known.cursor->progress() : 0.0;
        known.entries = entries;
        known.cursor = std::make_shared<rotation::Cursor>(std::move(weights), progress);
    }
    return known.cursor;
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
