// What goes to a collector, and what it says to it.
#include <rotary/control/trace_export.hpp>

#include <gtest/gtest.h>

namespace rotary::control {
namespace {

TEST(TraceExport, WrapsSpansInOneResource) {
    config::Tracing tracing;
    tracing.service_name = "front";
    tracing.attributes = {{"a\"b", "c"}};
    EXPECT_EQ(export_request(tracing, R"({"n":1},{"n":2})"),
              R"({"resourceSpans":[{"resource":{"attributes":[)"
              R"({"key":"service.name","value":{"stringValue":"front"}},)"
              R"({"key":"a\"b","value":{"stringValue":"c"}}]},)"
              R"("scopeSpans":[{"scope":{"name":"rotary"},"spans":[{"n":1},{"n":2}]}]}]})");
}

TEST(TraceExport, ReadsWhatACollectorRejects) {
    struct Case {
        const char* answer;
        std::uint64_t rejected;
    };
    const Case cases[] = {
        {"", 0},
        {"{}", 0},
        {"no JSON", 0},
        {R"({"partialSuccess":{}})", 0},
        {R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"no"}})", 3},
        {R"({"partialSuccess":{"rejectedSpans":4}})", 4},
        {R"({"partialSuccess":{"rejectedSpans":"-1"}})", 0},
        {R"({"partialSuccess":{"rejectedSpans":"99999999999999999999"}})", 0},
        {R"({"partialSuccess":[]})", 0},
    };
    for (const Case& one : cases) EXPECT_EQ(rejected_spans(one.answer), one.rejected) << one.answer;
}

}  // namespace
}  // namespace rotary::control
