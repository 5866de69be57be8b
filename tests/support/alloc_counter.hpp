#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

// Counts what each thread allocates: malloc, calloc, realloc, aligned_alloc, posix_memalign and so
// operator new. Linking rotary_alloc_counter replaces the allocation functions of the whole program
// with ones that count and then call glibc's; it can't be linked together with a sanitizer.
namespace rotary::test {

struct ThreadAllocations {
    pid_t thread = 0;  // gettid()
    std::string name;  // as the kernel knows it; empty when it has ended
    std::uint64_t count = 0;
};

// Every thread that has allocated yet. Counts of running threads may lag by a moment.
std::vector<ThreadAllocations> allocations_by_thread();

// Of that thread since it began; 0 if it never allocated.
std::uint64_t allocations_of(pid_t thread);

// What that thread has allocated and not freed, as malloc rounds it up; what another thread freed
// still counts.
std::int64_t bytes_held_by(pid_t thread);

// What one thread allocates from here on. Made on any thread.
class AllocationScope {
public:
    AllocationScope();  // the calling thread
    explicit AllocationScope(pid_t thread);
    std::uint64_t count() const;

private:
    pid_t thread_;
    std::uint64_t before_;
};

// From now on the calling thread aborts when it allocates: a debugger then shows who does.
void abort_on_allocation(bool on);

}  // namespace rotary::test
