// What a traceparent says, by W3C Trace Context.
#include <rotary/wire/trace_context.hpp>

#include <gtest/gtest.h>

#include <string>

namespace rotary::wire {
namespace {

constexpr const char* kGood = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TraceParent kParent{{0x0af7651916cd43dd, 0x8448eb211c80319c}, 0xb7ad6b7169203331, true};

struct Case {
    const char* name;
    std::string text;
    bool is_read;
};

TEST(TraceContext, ReadsWhatIsWellFormed) {
    const std::string good = kGood;
    const std::string zeros(32, '0');
    const Case cases[] = {
        {"as it should be", good, true},
        {"not sampled", good.substr(0, 53) + "00", true},
        {"other flags", good.substr(0, 53) + "fe", true},
        {"a later version", "cc" + good.substr(2), true},
        {"a later version with more", "cc" + good.substr(2) + "-what", true},
        {"a later version with more and no dash", "cc" + good.substr(2) + ".what", false},
        {"version 0 with more", good + "-what", false},
        {"version ff", "ff" + good.substr(2), false},
        {"nothing", "", false},
        {"too short", good.substr(0, 54), false},
        {"a trace of zeros", "00-" + zeros + good.substr(35), false},
        {"a span of zeros", good.substr(0, 36) + zeros.substr(0, 16) + "-01", false},
        {"upper case", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false},
        {"no hexadecimal", "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01", false},
        {"other separators", "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01", false},
        {"flags that are none", good.substr(0, 53) + "0x", false},
    };
    for (const Case& one : cases) {
        EXPECT_EQ(parse_traceparent(one.text).has_value(), one.is_read) << one.name;
    }
    EXPECT_EQ(parse_traceparent(good), kParent);
    EXPECT_FALSE(parse_traceparent(cases[1].text)->is_sampled);
    EXPECT_FALSE(parse_traceparent(cases[2].text)->is_sampled) << "it is the last bit that tells";
}

TEST(TraceContext, WritesWhatItReads) {
    TraceParentText buffer;
    EXPECT_EQ(write_traceparent(kParent, buffer), kGood);
    TraceParent other = kParent;
    other.is_sampled = false;
    other.span = 1;
    EXPECT_EQ(write_traceparent(other, buffer),
              "00-0af7651916cd43dd8448eb211c80319c-0000000000000001-00");
}

}  // namespace
}  // namespace rotary::wire
