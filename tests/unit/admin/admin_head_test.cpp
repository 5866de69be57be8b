#include "admin/admin_head.hpp"

#include <gtest/gtest.h>

#include <string>

namespace rotary::admin {
namespace {

TEST(AdminHead, WhatIsInDoubtIsRefused) {
    struct Row {
        const char* name;
        AdminHead head;
        const char* objection;  // "" when it is answered
    };
    const char* const framing = "a body needs Content-Length here";
    const char* const lengths = "more than one Content-Length";
    const char* const host = "exactly one Host is needed";
    const char* const path = "the target must be a path";
    const Row rows[] = {
        {"a plain one", {11, "/livez"}, ""},
        {"with a body", {11, "/api/v1/reload", 1, 0, 1}, ""},
        {"with a token", {11, "/api/v1/reload", 1, 0, 0, 1}, ""},
        {"HTTP/1.0 without a Host", {10, "/livez", 0}, ""},
        {"HTTP/1.0 with one", {10, "/livez", 1}, ""},
        {"HTTP/1.1 without a Host", {11, "/livez", 0}, host},
        {"two Hosts", {11, "/livez", 2}, host},
        {"two Hosts in HTTP/1.0", {10, "/livez", 2}, host},
        {"in chunks", {11, "/api/v1/reload", 1, 1}, framing},
        {"in chunks and with a length", {11, "/api/v1/reload", 1, 1, 1}, framing},
        {"two lengths", {11, "/api/v1/reload", 1, 0, 2}, lengths},
        {"two tokens", {11, "/api/v1/reload", 1, 0, 0, 2}, "more than one Authorization"},
        {"a whole URL, as to a proxy", {11, "http://localhost/livez"}, path},
        {"all of the server", {11, "*"}, path},
        {"a host, as of CONNECT", {11, "localhost:80"}, path},
        {"no target", {11, ""}, path},
    };
    for (const Row& row : rows) {
        const char* const objection = objection_to(row.head);
        EXPECT_EQ(std::string(objection == nullptr ? "" : objection), row.objection) << row.name;
    }
}

}  // namespace
}  // namespace rotary::admin
