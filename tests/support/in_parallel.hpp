#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <exception>
#include <thread>
#include <vector>

namespace rotary::test {

// run(0) to run(threads - 1), each on a thread of its own. A client without an answer is a failure.
template <typename Run>
void in_parallel(std::size_t threads, const Run& run) {
    std::vector<std::thread> started;
    started.reserve(threads);
    for (std::size_t i = 0; i < threads; ++i) {
        started.emplace_back([&run, i] {
            try {
                run(i);
            } catch (const std::exception& error) {
                ADD_FAILURE() << "client " << i << ": " << error.what();
            }
        });
    }
    for (std::thread& thread : started) thread.join();
}

}  // namespace rotary::test
