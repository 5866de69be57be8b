#include "mock/request_framing.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace rotary::mock {
namespace {

using Lines = std::vector<std::pair<const char*, const char*>>;

struct Row {
    const char* name;
    unsigned version;  // 11: HTTP/1.1
    Lines lines;
    bool good;
};

TEST(MockRequestFraming, IsStricterThanBeast) {
    const Row rows[] = {
        {"a host", 11, {{"Host", "a"}}, true},
        {"an empty host", 11, {{"Host", ""}}, true},
        {"no host", 11, {}, false},
        {"no host in HTTP/1.0", 10, {}, true},
        {"a host in HTTP/1.0", 10, {{"Host", "a"}}, true},
        {"two hosts", 11, {{"Host", "a"}, {"host", "a"}}, false},
        {"two hosts in HTTP/1.0", 10, {{"Host", "a"}, {"Host", "b"}}, false},
        {"a length", 11, {{"Host", "a"}, {"Content-Length", "3"}}, true},
        {"a length of nothing", 11, {{"Host", "a"}, {"Content-Length", "0"}}, true},
        {"a length in HTTP/1.0", 10, {{"Content-Length", "3"}}, true},
        {"an empty length", 11, {{"Host", "a"}, {"Content-Length", ""}}, false},
        {"a sign", 11, {{"Host", "a"}, {"Content-Length", "+3"}}, false},
        {"a hexadecimal length", 11, {{"Host", "a"}, {"Content-Length", "0x3"}}, false},
        {"a list of lengths", 11, {{"Host", "a"}, {"Content-Length", "3, 3"}}, false},
        {"a length beyond 64 bits",
         11,
         {{"Host", "a"}, {"Content-Length", "18446744073709551616"}},
         false},
        {"two lengths",
         11,
         {{"Host", "a"}, {"Content-Length", "3"}, {"Content-Length", "3"}},
         false},
        {"chunked", 11, {{"Host", "a"}, {"Transfer-Encoding", "chunked"}}, true},
        {"chunked in capitals", 11, {{"Host", "a"}, {"Transfer-Encoding", "CHUNKED"}}, true},
        {"chunked in HTTP/1.0", 10, {{"Host", "a"}, {"Transfer-Encoding", "chunked"}}, false},
        {"another coding", 11, {{"Host", "a"}, {"Transfer-Encoding", "gzip"}}, false},
        {"a coding that ends so", 11, {{"Host", "a"}, {"Transfer-Encoding", "xchunked"}}, false},
        {"a coding before it", 11, {{"Host", "a"}, {"Transfer-Encoding", "gzip, chunked"}}, false},
        {"a coding behind it", 11, {{"Host", "a"}, {"Transfer-Encoding", "chunked, gzip"}}, false},
        {"no coding at all", 11, {{"Host", "a"}, {"Transfer-Encoding", ""}}, false},
        {"two lines of codings",
         11,
         {{"Host", "a"}, {"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}},
         false},
        {"both framings",
         11,
         {{"Host", "a"}, {"Content-Length", "3"}, {"Transfer-Encoding", "chunked"}},
         false},
    };
    for (const Row& row : rows) {
        RequestHead head;
        head.version(row.version);
        for (const auto& [name, value] : row.lines) head.insert(name, value);
        EXPECT_EQ(well_framed(head), row.good) << row.name;
    }
}

}  // namespace
}  // namespace rotary::mock
