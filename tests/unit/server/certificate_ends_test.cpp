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

}  // namespace
}  // namespace rotary::server
