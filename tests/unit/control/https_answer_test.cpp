#include "control/https_answer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace rotary::control {
namespace {

TEST(HttpsAnswer, OnlyAPlainWholeTwoHundredIsRead) {
    struct Row {
        const char* name;
        HttpsAnswerHead head;
        const char* objection;  // "" when it is read
    };
    const Row rows[] = {
        {"plain", {200, "", {}}, ""},
        {"in chunks", {200, "", "chunked"}, ""},
        {"in chunks, in capitals", {200, "", "Chunked"}, ""},
        {"identity", {200, "identity", {}}, ""},
        {"identity in capitals", {200, "Identity", {}}, ""},
        {"compressed though identity was asked for", {200, "gzip", {}}, "a content encoding"},
        {"compressed in chunks", {200, "br", "chunked"}, "a content encoding"},
        {"compressed twice", {200, "identity, gzip", {}}, "a content encoding"},
        {"a coding to the end of the connection", {200, "", "gzip"}, "a transfer coding"},
        {"two codings", {200, "", "gzip, chunked"}, "a transfer coding"},
        {"an empty transfer coding", {200, "", ""}, "a transfer coding"},
        {"other success", {204, "", {}}, "status 204"},
        {"a part", {206, "", {}}, "status 206"},
        {"elsewhere: no redirect is followed", {302, "", {}}, "status 302"},
        {"not modified", {304, "", {}}, "status 304"},
        {"not there", {404, "", {}}, "status 404"},
        {"broken, and compressed", {500, "gzip", "gzip"}, "status 500"},
        {"another protocol", {101, "", {}}, "status 101"},
    };
    for (const Row& row : rows) EXPECT_EQ(objection_to(row.head), row.objection) << row.name;
}

TEST(HttpsAnswer, InterimOnesAreFollowedByAnother) {
    for (const unsigned status : {100U, 102U, 103U, 199U}) EXPECT_TRUE(is_interim(status));
    for (const unsigned status : {101U, 200U, 301U, 404U, 503U}) EXPECT_FALSE(is_interim(status));
}

}  // namespace
}  // namespace rotary::control
