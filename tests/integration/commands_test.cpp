#include "served.hpp"

#include <support/certificates.hpp>
#include <support/loopback_port.hpp>
#include <support/tokens.hpp>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <sstream>

// The program as people type it: exit codes, what goes to which output, signals.
namespace rotary::test {
namespace {

using Arguments = std::vector<std::string>;

ProcessOptions command(const Arguments& arguments) {
    ProcessOptions options;
    options.command = {ROTARY_BINARY};
    options.command.insert(options.command.end(), arguments.begin(), arguments.end());
    return options;
}

ProcessResult rotary(const Arguments& arguments) { return run_process(command(arguments)); }

TEST(Commands, HelpIsThereForEach) {
    const ProcessResult all = rotary({"--help"});
    EXPECT_EQ(all.status.code, 0);
    for (const char* name : {"init", "serve", "check", "config", "routes", "explain", "token",
                             "key", "mock", "demo", "version"}) {
        EXPECT_THAT(all.output, testing::HasSubstr(name));
        const ProcessResult one = rotary({name, "--help"});
        EXPECT_EQ(one.status.code, 0) << name;
        EXPECT_THAT(one.output, testing::HasSubstr(name));
        EXPECT_EQ(one.errors, "") << name;
    }
    EXPECT_THAT(rotary({"check", "--help"}).output, testing::HasSubstr("--output"));
    EXPECT_THAT(rotary({"token", "--help"}).output,
                testing::AllOf(testing::HasSubstr("--issuer"), testing::HasSubstr("--ttl")));
    EXPECT_THAT(rotary({"mock", "--help"}).output,
                testing::AllOf(testing::HasSubstr("--quota"), testing::HasSubstr("x-mock-fault")));
}

TEST(Commands, VersionNamesWhatWasBuilt) {
    const ProcessResult version = rotary({"version"});
    EXPECT_EQ(version.status.code, 0);
    EXPECT_THAT(version.output, testing::StartsWith("rotary "));
    for (const char* part : {"compiler: ", "boost: 1.", "openssl: 3.", "yaml-cpp: "}) {
        EXPECT_THAT(version.output, testing::HasSubstr(part));
    }
}

// What `rotary key new` prints goes into the configuration as it is, and the key is known by it.
TEST(Commands, AKeyIsMadeAndLookedUp) {
    const ProcessResult made = rotary({"key", "new", "--consumer", "team-a"});
    ASSERT_EQ(made.status.code, 0) << made.errors;
    const auto mock = start_mock();
    const GatewayFiles files(in_front_of(*mock, with_resources("---\n" + made.errors)));
    files.dir().write("key", made.output);
    files.dir().write("other", rotary({"key", "new", "--consumer", "team-b"}).output);
    const auto look_up = [&](const std::string& file) {
        ProcessOptions options;
        options.command = {
            "/bin/sh",     "-c",           "exec \"$0\" key check -c \"$1\" < \"$2\"",
            ROTARY_BINARY, files.config(), files.dir() / file};
        return run_process(options);
    };
    const ProcessResult known = look_up("key");
    EXPECT_EQ(known.status.code, 0) << known.errors;
    EXPECT_THAT(known.output, testing::HasSubstr("consumer: team-a\n"));
    EXPECT_THAT(known.output, testing::HasSubstr("valid: yes\n"));
    EXPECT_EQ(look_up("other").status.code, 1);
    EXPECT_EQ(look_up("rotary.yaml").status.code, 1) << "no key at all";
}

TEST(Commands, BadUsageIs2AndExplainsItself) {
    const std::vector<Arguments> mistakes = {
        {},
        {"--nonsense"},
        {"frobnicate"},
        {"serve"},
        {"serve", "--config"},
        {"check"},
        {"check", "-c", "x", "--nonsense"},
        {"check", "-c", "x", "--output", "xml"},
        {"token"},
        {"token", "--key", issuers().ec.key, "--issuer", "i", "--ttl", "soon"},
        {"token", "--key", issuers().ec.key, "--issuer", "i", "--alg", "HS256"},
        {"key"},
        {"key", "new"},
        {"key", "new", "--consumer", "a", "--not-after", "soon"},
        {"key", "check"},
        {"mock", "--listen", "nowhere"},
        {"mock", "--quota", "many"},
        {"mock", "--latency", "later"},
    };
    for (const Arguments& arguments : mistakes) {
        std::string line;
        for (const std::string& argument : arguments) line += argument + " ";
        const ProcessResult result = rotary(arguments);
        EXPECT_FALSE(result.timed_out) << line;
        EXPECT_EQ(result.status.code, 2) << line << result.errors;
        EXPECT_NE(result.errors, "") << line;
        EXPECT_EQ(result.output, "") << line;
    }
}

class Check : public testing::Test {
protected:
    void write(const std::string& extra) {
        const auto mock = start_mock();
        files_.emplace(in_front_of(*mock, with_process(extra)));
    }
    std::optional<GatewayFiles> files_;
};

TEST_F(Check, ARightConfigurationIs0) {
    write("");
    for (const char* name : {"check", "-t"}) {
        const ProcessResult result = rotary({name, "-c", files_->config()});
        EXPECT_EQ(result.status.code, 0) << result.output;
        std::istringstream findings(result.output);  // of fields that WSO2's shape cannot leave out
        for (std::string line; std::getline(findings, line);) {
            EXPECT_THAT(line, testing::HasSubstr("is not served: "));
        }
        EXPECT_THAT(result.errors, testing::HasSubstr(files_->config()));
    }
    const ProcessResult json = rotary({"check", "-c", files_->config(), "--output", "json"});
    EXPECT_EQ(json.status.code, 0);
    EXPECT_TRUE(is_json(json.output)) << json.output;
}

TEST_F(Check, EveryFindingHasItsLineAndErrorsAre1) {
    write("limitz: {}\nrouting: {max_attempts: none}\n");
    const ProcessResult text = rotary({"check", "-c", files_->config()});
    EXPECT_EQ(text.status.code, 1);
    const std::string at = files_->config();
    EXPECT_THAT(text.output, testing::ContainsRegex(at + ":6:1: error: limitz: .*limits"));
    EXPECT_THAT(text.output,
                testing::ContainsRegex(at + ":7:[0-9]+: error: routing.max_attempts: "));

    const ProcessResult json = rotary({"check", "-c", at, "--output", "json"});
    EXPECT_EQ(json.status.code, 1);
    ASSERT_TRUE(is_json(json.output)) << json.output;
    EXPECT_EQ(json_at(json.output, "0.file"), at) << json.output;
    EXPECT_EQ(json_at(json.output, "0.line"), "6");
    EXPECT_EQ(json_at(json.output, "0.severity"), "error");
}

TEST_F(Check, WarningsAloneAre0) {
    const auto mock = start_mock();
    files_.emplace(in_front_of(*mock, unencrypted()));
    const ProcessResult result = rotary({"check", "-c", files_->config()});
    EXPECT_EQ(result.status.code, 0);
    EXPECT_THAT(result.output, testing::ContainsRegex(":[0-9]+:[0-9]+: warning: "));
}

TEST_F(Check, AMissingFileIs1) {
    const ProcessResult result = rotary({"check", "-c", "/nowhere/rotary.yaml"});
    EXPECT_EQ(result.status.code, 1);
    EXPECT_THAT(result.output, testing::HasSubstr("/nowhere/rotary.yaml"));
}

TEST(Commands, ATokenIsPrintedAloneAndIsAccepted) {
    Edge edge;
    const Issuers& keys = issuers();
    const std::vector<std::array<std::string, 3>> made = {
        {keys.rsa.key, "rsa", "RS256"},         {keys.rsa.key, "rsa", "PS512"},
        {keys.ec.key, "ec", "ES256"},           {keys.ec384.key, "ec384", "ES384"},
        {keys.ed25519.key, "ed25519", "EdDSA"},
    };
    for (const auto& [key, kid, alg] : made) {
        const ProcessResult result = rotary({"token", "--key", key, "--kid", kid, "--alg", alg,
                                             "--issuer", kIssuer, "--subject", "me"});
        EXPECT_EQ(result.status.code, 0) << result.errors;
        EXPECT_EQ(result.errors, "");
        ASSERT_THAT(result.output,
                    testing::MatchesRegex("[A-Za-z0-9_-]+[.][A-Za-z0-9_-]+[.][A-Za-z0-9_-]+\n"));
        const std::string token = result.output.substr(0, result.output.size() - 1);
        EXPECT_EQ(json_at(token_part(token, 0), "alg"), alg);
        EXPECT_EQ(json_at(token_part(token, 1), "sub"), "me");
        Request request = chat();
        set_header(request, "Authorization", "Bearer " + token);
        EXPECT_EQ(fetch(edge.gateway.client(), request).status, 200U) << alg;
    }
    const ProcessResult no_key = rotary({"token", "--key", "/nowhere.pem", "--issuer", "i"});
    EXPECT_EQ(no_key.status.code, 1);
    EXPECT_EQ(no_key.output, "");
    EXPECT_THAT(no_key.errors, testing::HasSubstr("/nowhere.pem"));
}

TEST(Commands, ServeRefusesABrokenConfiguration) {
    const auto mock = start_mock();
    const GatewayFiles files(in_front_of(*mock, with_process("limitz: {}\n")));
    const ProcessResult result = rotary({"serve", "-c", files.config()});
    EXPECT_EQ(result.status.code, 1);
    EXPECT_THAT(result.errors, testing::HasSubstr(files.config() + ":6:1: error: limitz"));
    EXPECT_EQ(result.output, "");
}

TEST(Commands, ServeNamesThePortThatIsTaken) {
    LoopbackPort taken;
    taken.listen(1);
    const std::string number = std::to_string(taken.number());
    const auto mock = start_mock();
    const GatewayFiles files(in_front_of(*mock));
    const std::string text = read_file(files.config());
    for (const char* line : {"listeners:", "admin:"}) {
        SCOPED_TRACE(line);
        std::string changed = text;
        const std::size_t at = changed.find("port: 0", changed.find(line));
        changed.replace(at, 7, "port: " + number);
        files.dir().write("rotary.yaml", changed);
        const ProcessResult result = rotary({"serve", "-c", files.config()});
        EXPECT_FALSE(result.timed_out);
        EXPECT_EQ(result.status.code, 3) << result.errors;
        EXPECT_THAT(result.errors, testing::ContainsRegex("not started: .*" + number));
    }
    const ProcessResult other = rotary({"mock", "--listen", "127.0.0.1:" + number});
    EXPECT_EQ(other.status.code == 1 || other.status.code == 3, true) << other.errors;
    EXPECT_THAT(other.errors, testing::HasSubstr(number));
}

TEST(Commands, ServeReloadsOnSighupAndDrainsOnSigterm) {
    const auto mock = start_mock();
    Served served(*mock, {});
    ASSERT_EQ(fetch(served.client(), chat()).header("x-rotary-model"), "gpt");

    GatewayOptions next = in_front_of(*mock);
    next.production = {{"newer"}};
    served.files().write(next);
    served.process().signal(SIGHUP);
    ASSERT_TRUE(served.process().wait_for_errors("\"msg\":\"reloaded\"", kPatience));
    EXPECT_EQ(fetch(served.client(), chat()).header("x-rotary-model"), "newer");

    served.files().dir().write("apis/broken.yaml", "kind: [\n");
    served.process().signal(SIGHUP);
    ASSERT_TRUE(served.process().wait_for_errors("reload refused", kPatience));
    EXPECT_THAT(served.process().errors(), testing::HasSubstr("broken.yaml"));
    EXPECT_EQ(fetch(served.client(), chat()).header("x-rotary-model"), "newer");

    served.process().signal(SIGTERM);
    const auto status = served.process().wait(kPatience);
    ASSERT_TRUE(status.has_value());
    EXPECT_EQ(status->code, 0);
    EXPECT_EQ(status->signal, 0);
    std::istringstream lines(served.process().output());
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count) EXPECT_TRUE(is_json(line)) << line;
    EXPECT_EQ(count, 3U) << "standard output is the access log alone, complete";
}

TEST(Commands, ASecondSignalStopsServeAtOnce) {
    const auto mock = start_mock();
    Served served(*mock, {});
    TestClient client(served.client());
    Request stalled = chat();
    set_header(stalled, "x-mock-fault", "stall");
    ASSERT_TRUE(client.send(stalled));
    ASSERT_TRUE(mock->wait_for_requests(1, kPatience));
    served.process().signal(SIGINT);
    ASSERT_TRUE(served.process().wait_for_errors("draining", kPatience));
    EXPECT_FALSE(served.process().wait(100ms).has_value()) << "it waits for the request";
    served.process().signal(SIGTERM);
    const auto status = served.process().wait(kPatience);
    ASSERT_TRUE(status.has_value());
    EXPECT_EQ(status->code, 0);
}

TEST(Commands, MockDoesWhatItsOptionsSay) {
    ChildProcess mock(command({"mock", "--listen", "127.0.0.1:0", "--model", "m", "--quota",
                               "m=1/1h", "--suffix", "-x", "--require-key", "Bearer k"}));
    ASSERT_TRUE(mock.wait_for_errors("127.0.0.1:", kPatience));
    ASSERT_TRUE(mock.wait_for_errors("\n", kPatience));
    const std::string said = mock.errors();
    const std::size_t at = said.find("127.0.0.1:");
    ClientOptions to;
    to.port = static_cast<std::uint16_t>(std::stoul(said.substr(at + 10)));
    to.tls = false;
    Request request{"POST", "/v1/chat/completions", {}, R"({"model":"m","messages":[]})"};
    EXPECT_EQ(fetch(to, request).status, 401U);
    request.headers.emplace_back("Authorization", "Bearer k");
    const Response first = fetch(to, request);
    EXPECT_EQ(first.status, 200U);
    EXPECT_EQ(json_at(first.body, "model"), "m-x");
    EXPECT_EQ(fetch(to, request).status, 429U);
    request.body = R"({"model":"other","messages":[]})";
    EXPECT_EQ(fetch(to, request).status, 400U);
    mock.signal(SIGTERM);
    const auto status = mock.wait(kPatience);
    ASSERT_TRUE(status.has_value());
    EXPECT_EQ(status->code, 0);
}

}  // namespace
}  // namespace rotary::test
