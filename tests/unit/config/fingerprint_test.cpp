#include <gtest/gtest.h>

#include <set>
#include <string>

#include "config/fingerprint.hpp"
#include "unit/config/loading.hpp"

namespace rotary::config {
namespace {

const std::string kProcess = "listeners: [{plaintext: true}]\n";
const std::string kSecret =
    "{kind: Secret, apiVersion: v1, metadata: {name: s}, stringData: "
    "{k: \"${KEY:-none}\"}}\n";

std::string print(const std::string& process, const std::string& resources,
                  const Environment& environment) {
    return load_text({"rotary.yaml", process}, {{"s.yaml", resources}}, environment).fingerprint;
}

TEST(Fingerprint, IsTheSameForTheSame) {
    const std::string once = print(kProcess, kSecret, variables({{"KEY", "a"}}));
    EXPECT_EQ(once.size(), 32U);
    EXPECT_EQ(print(kProcess, kSecret, variables({{"KEY", "a"}, {"OTHER", "x"}})), once)
        << "a variable that nothing asks for";
}

TEST(Fingerprint, ChangesWithEverythingThatIsRead) {
    const Environment a = variables({{"KEY", "a"}});
    const std::set<std::string> prints = {
        print(kProcess, kSecret, a),
        print(kProcess + "# a comment\n", kSecret, a),
        print(kProcess, kSecret + "\n", a),
        print(kProcess, kSecret, variables({{"KEY", "b"}})),
        print(kProcess, kSecret, variables({{"KEY", ""}})),
        print(kProcess, kSecret, variables()),
        load_text({"other.yaml", kProcess}, {{"s.yaml", kSecret}}, a).fingerprint,
        load_text({"rotary.yaml", kProcess}, {{"t.yaml", kSecret}}, a).fingerprint,
        load_text({"rotary.yaml", kProcess}, {}, a).fingerprint,
    };
    EXPECT_EQ(prints.size(), 9U);
}

TEST(Fingerprint, TellsWhereOnePartEnds) {
    Fingerprint one;
    one.add("a", "bc", "d");
    Fingerprint other;
    other.add("ab", "c", "d");
    EXPECT_NE(one.finish(), other.finish());
}

}  // namespace
}  // namespace rotary::config
