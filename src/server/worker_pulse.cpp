#include "server/worker_pulse.hpp"

namespace rotary::server {

WorkerPulse::WorkerPulse(std::size_t workers)
    : answered_(std::make_shared<std::vector<std::atomic<bool>>>(workers)) {
    for (auto& answered : *answered_) answered.store(true, std::memory_order_relaxed);
}

void WorkerPulse::ask(const Post& post) {
    for (std::size_t i = 0; i < answered_->size(); ++i) {
        (*answered_)[i].store(false, std::memory_order_relaxed);
        post(i, [all = answered_, i] { (*all)[i].store(true, std::memory_order_relaxed); });
    }
}

std::optional<std::size_t> WorkerPulse::silent() const {
    for (std::size_t i = 0; i < answered_->size(); ++i) {
        if (!(*answered_)[i].load(std::memory_order_relaxed)) return i;
    }
    return std::nullopt;
}

}  // namespace rotary::server
