#pragma once

#include <unistd.h>

#include <cstddef>
#include <fstream>
#include <string>

namespace rotary::test {

// The largest buffer the kernel gives a TCP socket: tcp_rmem or tcp_wmem, in bytes.
inline std::size_t most_a_kernel_holds(const char* name) {
    std::ifstream file(std::string("/proc/sys/net/ipv4/") + name);
    std::size_t low = 0;
    std::size_t usual = 0;
    std::size_t most = 0;
    file >> low >> usual >> most;
    return most;
}

// Of this process.
inline std::size_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::size_t pages = 0;
    file >> pages >> pages;
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace rotary::test
