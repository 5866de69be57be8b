#pragma once

#include <rotary/wire/message.hpp>

#include <vector>

namespace rotary::wire {

// A worker's big tables and buffers, used between two awaits only: after a co_await another
// exchange of this worker may have written over them.
struct Scratch {
    RequestHead request;
    ResponseHead response;
    std::vector<char> head;  // a message head being put together
};

}  // namespace rotary::wire
