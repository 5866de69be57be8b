#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace rotary::server {

// Whether the loop of each worker still turns: each is asked by mail, and asked again only when all
// have answered, so at most one question lies in the mailbox of one that is stuck. One thread asks;
// answers come from the workers'.
class WorkerPulse {
public:
    // Has `work` run on that worker's loop.
    using Post = std::function<void(std::size_t worker, std::function<void()> work)>;

    explicit WorkerPulse(std::size_t workers);

    void ask(const Post& post);
    // The first that has not answered since ask(); nothing: all have.
    std::optional<std::size_t> silent() const;

private:
    // Of each worker; outlives this, since an answer may come late.
    std::shared_ptr<std::vector<std::atomic<bool>>> answered_;
};

}  // namespace rotary::server
