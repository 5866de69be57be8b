
#include <rotary/control/key_ring.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <support/certificates.hpp>
#include <support/sampled.hpp>
#include <support/temp_dir.hpp>

#include <map>
#include <stdexcept>
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

TEST_F(KeyRingTest, KnowsWhichClaimsLimitsAskFor) {
    routing::Snapshot snapshot = snapshot_of({"a"});
    snapshot.limit_claims = {"team"};
    ring_.configure(snapshot, kStart);
    EXPECT_THAT(ring_.table()->issuers()[0].limit_claims, testing::ElementsAre("team"));
}

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

TEST_F(KeyRingTest, ACertificateThatCannotBeUsedNamesItsIssuer) {
    routing::Snapshot snapshot = snapshot_of({"a", "broken"});
    snapshot.issuers[1].jwks.reset();
    snapshot.issuer_certificate_pem[1] = "no certificate";
    ring_.configure(snapshot_of({"before"}), kStart);
    try {
        ring_.configure(snapshot, kStart);
        FAIL() << "it was taken";
    } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(),
                    testing::StartsWith("TokenIssuer broken: the certificate can't be used: "));
    }
    EXPECT_EQ(ring_.name_of(0), "before") << "nothing has changed";
}

TEST_F(KeyRingTest, AReloadKeepsTheKeysOfIssuersThatStay) {
    ring_.configure(snapshot_of({"a", "b"}), kStart);
    ring_.set_keys(0, keys_);
    ring_.configure(snapshot_of({"b", "a"}), kStart);
    EXPECT_EQ(ring_.standings(kStart, 30s).at(0).keys, 0U);
    EXPECT_EQ(ring_.standings(kStart, 30s).at(1).keys, keys_->keys().size());
    routing::Snapshot elsewhere = snapshot_of({"b", "a"});
    elsewhere.issuers[1].jwks->url += "/new";
    ring_.configure(elsewhere, kStart);
    EXPECT_EQ(ring_.standings(kStart, 30s).at(1).keys, 0U) << "keys of another place";
}

TEST_F(KeyRingTest, TwoIssuersThatSayTheSameAreTwo) {
    ring_.configure(snapshot_of({"a", "a"}), kStart);
    ring_.set_keys(1, keys_);
    ring_.configure(snapshot_of({"a", "a"}), kStart);
    EXPECT_EQ(ring_.standings(kStart, 30s).at(0).keys, 0U);
    EXPECT_EQ(ring_.standings(kStart, 30s).at(1).keys, keys_->keys().size());
}

TEST_F(KeyRingTest, SourcesAreThoseOfIssuersWhoseKeysAreFetched) {
    routing::Snapshot snapshot = snapshot_of({"certificate", "fetched"});
    snapshot.issuers[0].jwks.reset();
    snapshot.issuer_certificate_pem[0] = test::read_file(test::issuers().rsa.certificate);
    snapshot.issuer_ca_pem[1] = "pem";
    ring_.configure(snapshot, kStart);
    ASSERT_EQ(ring_.sources().size(), 1U);
    EXPECT_EQ(ring_.sources()[0].url, "https://fetched/keys");
    EXPECT_EQ(ring_.sources()[0].ca_pem, "pem");
    EXPECT_EQ(ring_.name_of(0), "fetched");
    ring_.set_keys(1, keys_);  // a fetcher's word of what a reload has removed
    ring_.fetch_started(1);
    ring_.fetch_ended(1, true, kStart);
    EXPECT_EQ(ring_.standings(kStart, 30s).at(1).keys, 0U);
}

TEST_F(KeyRingTest, WorkersHearOfAFetchByTheIssuersState) {
    ring_.configure(snapshot_of({"a", "b"}), kStart);
    const auto fetch = ring_.table()->issuers()[1].fetch;
    EXPECT_EQ(ring_.source_of(*fetch), 1U);
    EXPECT_FALSE(fetch->pending(0));
    ring_.fetch_started(1);
    EXPECT_TRUE(fetch->pending(0));
    ring_.set_keys(1, keys_);
    ring_.fetch_ended(1, false, kStart + 30s);
    EXPECT_TRUE(fetch->pending(0)) << "newer keys are on their way to the worker";
    EXPECT_FALSE(fetch->pending(keys_->generation()));
    EXPECT_EQ(fetch->hope(keys_->generation(), kStart), auth::KeyHope::none);
    EXPECT_EQ(fetch->hope(keys_->generation(), kStart + 30s), auth::KeyHope::ask);
    ring_.fetch_ended(1, true, kStart);
    EXPECT_TRUE(fetch->failed());
    ring_.configure(snapshot_of({"a"}), kStart);
    EXPECT_EQ(ring_.source_of(*fetch), KeyRing::npos) << "a reload has removed it";
}

TEST_F(KeyRingTest, AScrapeSaysHowEachFetchedIssuerStands) {
    ring_.configure(snapshot_of({"a"}), kStart);
    boost::asio::io_context context;
    net::Resolver resolver;
    JwksFetcher fetcher(context, resolver, {}, nullptr, log_);
    const auto scraped = [&] {
        test::Sampled sampled;
        sample_keys(ring_, fetcher, sampled);
        return sampled;
    };
    EXPECT_EQ(scraped().all(), (std::map<std::string, double>{
                                   {"rotary_jwks_keys{issuer=a}", 0},
                                   {"rotary_jwks_last_success_timestamp_seconds{issuer=a}", 0},
                                   {"rotary_jwks_fetches_total{issuer=a,outcome=ok}", 0},
                                   {"rotary_jwks_fetches_total{issuer=a,outcome=failed}", 0}}));
    const test::TempDir dir;
    JwksSource file;
    file.file = dir.write("keys", test::issuers().jwks);
    fetcher.set_sources({file});
    EXPECT_EQ(scraped().value("rotary_jwks_keys{issuer=a}"), keys_->keys().size());
    EXPECT_EQ(scraped().value("rotary_jwks_fetches_total{issuer=a,outcome=ok}"), 1);
    EXPECT_GT(scraped().value("rotary_jwks_last_success_timestamp_seconds{issuer=a}"), 0);
    dir.write("keys", "broken");
    fetcher.set_sources({file});
    EXPECT_EQ(scraped().value("rotary_jwks_fetches_total{issuer=a,outcome=failed}"), 1);
    EXPECT_EQ(scraped().value("rotary_jwks_keys{issuer=a}"), keys_->keys().size()) << "kept";
}

}  // namespace
}  // namespace rotary::control
