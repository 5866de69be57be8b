#include <rotary/base/span_queue.hpp>

#include <utility>

namespace rotary {

bool SpanQueue::submit(Batch& batch) {
    Batch taken = std::exchange(batch, {});
    if (taken.spans == 0) return true;
    const std::lock_guard lock(mutex_);
    if (bytes_ + taken.text.size() > most_.load(std::memory_order_relaxed)) {
        dropped_.fetch_add(taken.spans, std::memory_order_relaxed);
        return false;
    }
    bytes_ += taken.text.size();
    batches_.push_back(std::move(taken));
    return true;
}

SpanQueue::Batch SpanQueue::take(std::size_t most_bytes) {
    Batch made;
    const std::lock_guard lock(mutex_);
    while (!batches_.empty()) {
        Batch& next = batches_.front();
        if (made.spans > 0 && made.text.size() + next.text.size() >= most_bytes) break;
        bytes_ -= next.text.size();
        if (made.spans == 0) {
            made = std::move(next);
        } else {
            made.text.append(",").append(next.text);
            made.spans += next.spans;
        }
        batches_.pop_front();
    }
    return made;
}

std::size_t SpanQueue::bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

}  // namespace rotary
