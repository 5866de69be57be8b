// When the listeners' certificates end, as a scrape tells.
#include "server/certificate_ends.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>

#include <support/certificates.hpp>
#include <support/sampled.hpp>
#include <support/temp_dir.hpp>

namespace rotary::server {
namespace {

constexpr const char* kSeries =
    "rotary_tls_certificate_expiry_timestamp_seconds{listener=127.0.0.1:1}";

std::shared_ptr<const net::TlsContext> context_of(const test::PemFiles& files) {
    net::TlsContext::ServerOptions options;
    options.certificate_pem = test::read_file(files.certificate);
    options.key_pem = test::read_file(files.key);
    return net::TlsContext::server(options);
}

double sampled(const CertificateEnds& ends) {
    test::Sampled out;
    ends.sample(out);
    return out.value(kSeries);
}

TEST(CertificateEnds, AreThoseOfWhatIsServed) {
    CertificateEnds ends;
    ends.open({"127.0.0.1:1", "127.0.0.1:2"});
    EXPECT_EQ(sampled(ends), -1) << "nothing is served yet";
    ends.take({context_of(test::certificates().server), nullptr});
    const double good = sampled(ends);
    const std::chrono::duration<double> now = wall_now().time_since_epoch();
    EXPECT_GT(good, now.count());
    ends.take({nullptr, nullptr});
    EXPECT_EQ(sampled(ends), good) << "a reload that has none for it changes nothing";
    ends.take({context_of(test::certificates().expired), nullptr});
    EXPECT_LT(sampled(ends), now.count());
    test::Sampled all;
    ends.sample(all);
    EXPECT_EQ(all.all().size(), 1U) << "a listener without TLS has no certificate";
}

TEST(CertificateEnds, AreToldOfBeforeTheyCome) {
    using std::chrono::days;
    using std::chrono::hours;
    CertificateEnds ends;
    ends.open({"127.0.0.1:1", "127.0.0.1:2"});
    ends.take({context_of(test::certificates().server), nullptr});
    ASSERT_EQ(ends.ends().size(), 1U);
    EXPECT_EQ(ends.ends()[0].listener, "127.0.0.1:1");
    const WallTime end = ends.ends()[0].at;
    admin::EventFeed feed;
    feed.set_limits(100, 1);
    std::string heard;
    feed.subscribe([&](std::string_view message) { heard += message; });
    struct Row {
        const char* name;
        WallTime now;
        const char* says;  // null: nothing
    };
    const Row rows[] = {
        {"long before", end - days(31), nullptr},
        {"a month", end - days(30), "ends in 30 days"},
        {"still a month", end - days(29), nullptr},
        {"a week", end - days(6) - hours(1), "ends in 6 days"},
        {"still a week", end - days(2), nullptr},
        {"a day", end - days(1), "ends in 1 day,"},
        {"an hour", end - hours(1), nullptr},
        {"the end", end, "has ended"},
        {"behind it", end + days(9), nullptr},
        {"the clock was wrong", end - days(40), nullptr},
        {"all at once", end - hours(2), "ends within a day"},
    };
    for (const Row& row : rows) {
        heard.clear();
        ends.tell(feed, row.now);
        EXPECT_EQ(heard.empty(), row.says == nullptr) << row.name << heard;
        if (row.says == nullptr) continue;
        EXPECT_NE(heard.find(row.says), std::string::npos) << row.name << heard;
        EXPECT_NE(heard.find("\"kind\":\"certificate\""), std::string::npos) << heard;
        EXPECT_EQ(heard.find("event:"), heard.rfind("event:")) << "one";
    }
}

TEST(CertificateEnds, DaysAreWholeOnes) {
    using std::chrono::hours;
    const WallTime now{hours(1'000'000)};
    EXPECT_EQ(days_until(now, now), 0);
    EXPECT_EQ(days_until(now + hours(23), now), 0);
    EXPECT_EQ(days_until(now + hours(48), now), 2);
    EXPECT_EQ(days_until(now - hours(1), now), -1);
}

}  // namespace
}  // namespace rotary::server
