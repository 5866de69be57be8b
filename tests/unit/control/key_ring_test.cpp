
#include <rotary/control/key_ring.hpp>

#include <gtest/gtest.h>

#include <support/certificates.hpp>
#include <support/temp_dir.hpp>

#include <string>
#include <vector>

namespace rotary::control {
namespace {

using std::chrono_literals::operator""s;

constexpr SteadyTime kStart{1000s};

config::TokenIssuer fetched(const std::string& name) {
    config::TokenIssuer issuer;
    issuer.metadata.name = name;
    issuer.issuer = "https://" + name;
    issuer.jwks.emplace().url = "https://" + name + "/keys";
    return issuer;
}

routing::Snapshot snapshot_of(const std::vector<std::string>& names) {
    routing::Snapshot snapshot;
    for (const std::string& name : names) {
        snapshot.issuers.push_back(fetched(name));
        snapshot.issuer_ca_pem.emplace_back();
        snapshot.issuer_certificate_pem.emplace_back();
    }
    return snapshot;
}

// The names of those that readiness waits for.
std::string waited_for(const KeyRing& ring, SteadyTime now) {
    std::string names;
    for (const KeyRing::Standing& issuer : ring.standings(now, 30s)) {
        if (issuer.holds_up) names += issuer.name + " ";
    }
    return names;
}

class KeyRingTest : public testing::Test {
protected:
    Logger log_{LogLevel::error};
    KeyRing ring_{log_};
    std::shared_ptr<const auth::KeySet> keys_ = auth::KeySet::from_jwks(test::issuers().jwks).keys;
};

TEST_F(KeyRingTest, ReadinessWaitsForFirstKeysButNotForEver) {
    ring_.configure(snapshot_of({"a", "b"}), kStart);
    EXPECT_EQ(waited_for(ring_, kStart), "a b ");
    EXPECT_EQ(ring_.standings(kStart, 30s).at(1).source, 1U);
    EXPECT_EQ(ring_.standings(kStart, 30s).at(1).keys, 0U);
    ring_.set_keys(0, keys_);
    EXPECT_EQ(waited_for(ring_, kStart + 29s), "b ");
    EXPECT_EQ(ring_.standings(kStart, 30s).at(0).keys, keys_->keys().size());
    EXPECT_EQ(waited_for(ring_, kStart + 30s), "");
    EXPECT_TRUE(ring_.standings(kStart + 30s, 31s).at(1).holds_up) << "as long as it is set to";
    ring_.set_keys(0, nullptr);
    EXPECT_EQ(waited_for(ring_, kStart + 86400s), "") << "it had its time";
}

TEST_F(KeyRingTest, AReloadGivesTimeToNewIssuersAlone) {
    ring_.configure(snapshot_of({"a"}), kStart);
    ring_.configure(snapshot_of({"new", "a"}), kStart + 40s);
    EXPECT_EQ(waited_for(ring_, kStart + 41s), "new ");
    EXPECT_EQ(waited_for(ring_, kStart + 70s), "");
}

TEST_F(KeyRingTest, ACertificateIsThereAtOnce) {
    routing::Snapshot snapshot = snapshot_of({"a"});
    snapshot.issuers[0].jwks.reset();
    snapshot.issuer_certificate_pem[0] = test::read_file(test::issuers().rsa.certificate);
    ring_.configure(snapshot, kStart);
    EXPECT_EQ(waited_for(ring_, kStart), "");
    EXPECT_EQ(ring_.standings(kStart, 30s).at(0).source, KeyRing::npos);
}

}  // namespace
}  // namespace rotary::control
