// Where spans go, by the file and by OpenTelemetry's variables.
#include <gmock/gmock.h>

#include <span>
#include <string>

#include <support/temp_dir.hpp>

#include "unit/config/loading.hpp"

namespace rotary::config {
namespace {

using Variables = std::map<std::string, std::string, std::less<>>;

// An empty text is no file: its variables would not be asked for.
Loaded load_with(const std::string& text, const Variables& environment) {
    return load_process("watch: true\n" + text, variables(environment));
}

// The message of the first finding at `tracing`; empty: there is none.
std::string wrong(const std::string& text, const Variables& environment = {}) {
    const Loaded loaded = load_with(text, environment);
    for (const Finding& finding : loaded.findings) {
        const std::string line = to_text(std::span(&finding, 1));
        if (line.find("racing") != line.npos || line.find("OTEL_") != line.npos) return line;
    }
    return "";
}

Tracing tracing(const std::string& text, const Variables& environment = {}) {
    EXPECT_EQ(wrong(text, environment), "");
    return load_with(text, environment).config.tracing;
}

TEST(Tracing, IsOffUnlessThereIsAnEndpoint) {
    EXPECT_EQ(tracing("").endpoint, "");
    EXPECT_EQ(tracing("tracing: {service_name: x}\n").endpoint, "");
    EXPECT_EQ(tracing("tracing: {endpoint: \"\"}\n").endpoint, "");
    EXPECT_EQ(tracing("", {{"OTEL_SERVICE_NAME", "x"}}).endpoint, "");
}

TEST(Tracing, AnEndpointIsABaseOrTheWholeUrl) {
    const std::pair<const char*, const char*> rows[] = {
        {"http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"},
        {"http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"},
        {"https://c.example.com/otlp", "https://c.example.com/otlp/v1/traces"},
        {"https://c.example.com/v1/traces", "https://c.example.com/v1/traces"},
        {"http://[::1]:4318", "http://[::1]:4318/v1/traces"},
    };
    for (const auto& [said, read] : rows) {
        EXPECT_EQ(tracing("tracing: {endpoint: \"" + std::string(said) + "\"}\n").endpoint, read);
    }
    for (const char* bad : {"127.0.0.1:4318", "grpc://a", "http://", "http:///v1/traces",
                            "http://a b", "http://user@a", "http://a?key=b"}) {
        EXPECT_NE(wrong("tracing: {endpoint: \"" + std::string(bad) + "\"}\n"), "") << bad;
    }
}

TEST(Tracing, ReadsAllOfIt) {
    const Tracing read = tracing(
        "tracing:\n  endpoint: http://a\n  service_name: front\n  sample_ratio: \"0.25\"\n"
        "  headers: {authorization: \"Bearer ${KEY}\", x-b: c}\n"
        "  attributes: {deployment.environment: test}\n",
        {{"KEY", "secret"}});
    EXPECT_EQ(read.service_name, "front");
    EXPECT_EQ(read.sample_ratio, 0.25);
    ASSERT_EQ(read.headers.size(), 2U);
    EXPECT_EQ(read.headers[0].name, "authorization");
    EXPECT_EQ(read.headers[0].value.reveal(), "Bearer secret");
    ASSERT_EQ(read.attributes.size(), 1U);
    EXPECT_EQ(read.attributes[0].second, "test");
}

TEST(Tracing, SaysWhatIsWrong) {
    for (const char* bad : {"sample_ratio: \"1.5\"", "sample_ratio: \"-0.1\"", "sample_ratio: x",
                            "sample_ratio: nan", "service_name: \"\"", "headers: {\"a b\": c}",
                            "headers: {a: \"b\\nc\"}", "endpont: http://a"}) {
        EXPECT_NE(wrong("tracing: {" + std::string(bad) + "}\n"), "") << bad;
    }
    const std::string text = wrong("tracing: {headers: {\"a b\": tell-nobody}}\n");
    EXPECT_EQ(text.find("tell-nobody"), text.npos) << text;
}

TEST(Tracing, VariablesStandForWhatTheFileDoesNotSay) {
    const Variables all = {
        {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:4318"},
        {"OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20x, b=c"},
        {"OTEL_SERVICE_NAME", "named"},
        {"OTEL_RESOURCE_ATTRIBUTES", "k=v"},
        {"OTEL_TRACES_SAMPLER", "parentbased_traceidratio"},
        {"OTEL_TRACES_SAMPLER_ARG", "0.5"},
    };
    const Tracing read = tracing("", all);
    EXPECT_EQ(read.endpoint, "http://a:4318/v1/traces");
    ASSERT_EQ(read.headers.size(), 2U);
    EXPECT_EQ(read.headers[0].value.reveal(), "Bearer x");
    EXPECT_EQ(read.headers[1].name, "b");
    EXPECT_EQ(read.service_name, "named");
    EXPECT_EQ(read.attributes.size(), 1U);
    EXPECT_EQ(read.sample_ratio, 0.5);
    const Tracing said = tracing(
        "tracing: {endpoint: http://b, service_name: own, sample_ratio: \"0.1\", headers: {d: "
        "e}}\n",
        all);
    EXPECT_EQ(said.endpoint, "http://b/v1/traces");
    EXPECT_EQ(said.service_name, "own");
    EXPECT_EQ(said.sample_ratio, 0.1);
    EXPECT_EQ(said.headers.size(), 1U);
    Variables other = all;
    other["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = "http://c/own/path";
    EXPECT_EQ(tracing("", other).endpoint, "http://c/own/path") << "taken as it is";
    other["OTEL_SDK_DISABLED"] = "true";
    EXPECT_EQ(tracing("tracing: {endpoint: http://b}\n", other).endpoint, "");
}

TEST(Tracing, HeadersComeFromAFileToo) {
    const test::TempDir dir;
    const std::string rest = "tracing: {endpoint: http://a, headers: {a: b}, headers_file: ";
    const std::string good =
        dir.write("good", "# of the collector\n\nauthorization: Bearer x:y\r\n  X-Tenant :  t \n");
    const Tracing read = tracing(rest + good + "}\n");
    ASSERT_EQ(read.headers.size(), 3U);
    EXPECT_EQ(read.headers[1].name, "authorization");
    EXPECT_EQ(read.headers[1].value.reveal(), "Bearer x:y");
    EXPECT_EQ(read.headers[2].name, "X-Tenant");
    EXPECT_EQ(read.headers[2].value.reveal(), "t");
    const Loaded loaded = load_with(rest + good + "}\n", {});
    EXPECT_THAT(loaded.files, testing::Contains(good)) << "it is watched";
    std::string many;
    for (int i = 0; i < 32; ++i) many += "h" + std::to_string(i) + ": v\n";
    const std::pair<const char*, std::string> rows[] = {
        {"line 2 must be a header line", "x: y\nsecret-without-colon\n"},
        {"line 1 must be a header line", "bad name: secret\n"},
        {"line 1 must be a header line", "x:\n"},
        {"line 1 must be a header line", ": secret\n"},
        {"line 1 must be a header line", "x: se\x01cret\n"},
        {"line 1 names a header that is there already", "A: secret\n"},
        {"line 2 names a header that is there already", "x: y\nX: secret\n"},
        {"line 32 is one too many", many},
    };
    for (const auto& [says, text] : rows) {
        const std::string said = wrong(rest + dir.write("bad", text) + "}\n");
        EXPECT_THAT(said, testing::HasSubstr(says)) << text;
        EXPECT_THAT(said, testing::HasSubstr("tracing.headers_file")) << text;
        EXPECT_THAT(said, testing::Not(testing::HasSubstr("secret"))) << text;
    }
    EXPECT_NE(wrong(rest + (dir / "nothing") + "}\n"), "");
}

TEST(Tracing, AFileVouchesForTheCollector) {
    const test::TempDir dir;
    const std::string pem = read_text(data_file("listener.crt"));
    const std::string file = dir.write("ca", pem);
    EXPECT_EQ(tracing("tracing: {endpoint: https://a, ca: " + file + "}\n").ca_pem, pem);
    EXPECT_THAT(wrong("tracing: {endpoint: http://a, ca: " + file + "}\n"),
                testing::HasSubstr("warning"));
    EXPECT_THAT(wrong("tracing: {ca: " + file + "}\n"), testing::HasSubstr("nothing is sent"));
    EXPECT_THAT(wrong("tracing: {endpoint: https://a, ca: " + dir.write("no", "x") + "}\n"),
                testing::HasSubstr("no certificate is in it"));
}

TEST(Tracing, AVariableThatCannotBeServedIsAnError) {
    const std::pair<const char*, const char*> rows[] = {
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "c:4317"},
        {"OTEL_EXPORTER_OTLP_HEADERS", "no pair"},
        {"OTEL_RESOURCE_ATTRIBUTES", "=v"},
        {"OTEL_TRACES_SAMPLER", "always_on"},
        {"OTEL_TRACES_SAMPLER_ARG", "2"},
    };
    for (const auto& [name, value] : rows) {
        Variables all = {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a"},
                         {"OTEL_TRACES_SAMPLER", "parentbased_traceidratio"}};
        all[name] = value;
        EXPECT_NE(wrong("", all).find(name), std::string::npos) << name;
    }
    EXPECT_EQ(wrong("", {{"OTEL_TRACES_SAMPLER", "always_on"}}), "") << "tracing is off";
}

}  // namespace
}  // namespace rotary::config
