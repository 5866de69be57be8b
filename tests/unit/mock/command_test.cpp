// What is typed behind `rotary mock`: what it means, and what is refused with which option's name.
#include "mock/typed_options.hpp"

#include <rotary/cli/program.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace rotary::mock {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

MockOptions listening(const std::string& text) {
    TypedOptions typed;
    typed.listen = text;
    return read_options(typed);
}

TEST(MockTypedOptions, AreTheDefaultsWhenNothingIsTyped) {
    const MockOptions options = read_options({});
    EXPECT_EQ(options.address, "127.0.0.1");
    EXPECT_EQ(options.port, 8081);
    EXPECT_EQ(options.latency, 0ns);
    EXPECT_EQ(options.chunk_interval, 0ns);
    EXPECT_EQ(options.tokens, 16U);
    EXPECT_TRUE(options.models.empty());
    EXPECT_TRUE(options.quotas.empty());
    EXPECT_TRUE(options.fail_rates.empty());
    EXPECT_FALSE(options.tls);
}

TEST(MockTypedOptions, SayWhereToListen) {
    struct Row {
        const char* text;
        const char* address;
        std::uint16_t port;
    };
    const Row rows[] = {
        {"127.0.0.1:8081", "127.0.0.1", 8081},
        {"0.0.0.0:0", "0.0.0.0", 0},
        {"[::1]:65535", "::1", 65535},
        {"::1:80", "::1", 80},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.text);
        const MockOptions options = listening(row.text);
        EXPECT_EQ(options.address, row.address);
        EXPECT_EQ(options.port, row.port);
    }
    const char* const bad[] = {"",           "127.0.0.1",    "127.0.0.1:",   "127.0.0.1:65536",
                               ":80",        "[]:80",        "localhost:80", "127.0.0.1:-1",
                               "[::1]:http", "1.2.3.4.5:80", "127.0.0.1:80 "};
    for (const char* text : bad) EXPECT_THROW(listening(text), cli::Misuse) << text;
}

TEST(MockTypedOptions, AreRead) {
    TypedOptions typed;
    typed.latency = "50ms";
    typed.chunk_interval = "20ms";
    typed.quotas = {"a=3/10s", "b=1/1m"};
    typed.fail_rates = {"503=0.5", "429=0.5"};
    typed.tls = {"c.pem", "k.pem"};
    typed.options.suffix = "-x";
    const MockOptions options = read_options(typed);
    EXPECT_EQ(options.latency, 50ms);
    EXPECT_EQ(options.chunk_interval, 20ms);
    ASSERT_EQ(options.quotas.size(), 2U);
    EXPECT_EQ(options.quotas[1].model, "b");
    ASSERT_EQ(options.fail_rates.size(), 2U);
    EXPECT_EQ(options.fail_rates[1].status, 429U);
    ASSERT_TRUE(options.tls);
    EXPECT_EQ(options.tls->certificate, "c.pem");
    EXPECT_EQ(options.tls->key, "k.pem");
    EXPECT_EQ(options.suffix, "-x");
}

TEST(MockTypedOptions, AreRefusedByTheirName) {
    struct Row {
        const char* name;
        std::function<void(TypedOptions&)> change;
        const char* says;
    };
    const Row rows[] = {
        {"listen", [](TypedOptions& t) { t.listen = "x"; }, "--listen: 'x' is no ADDR:PORT"},
        {"latency", [](TypedOptions& t) { t.latency = "5"; }, "--latency: can't read '5'"},
        {"interval", [](TypedOptions& t) { t.chunk_interval = "x"; },
         "--chunk-interval: can't read 'x'; an example: 20ms"},
        {"quota",
         [](TypedOptions& t) {
             t.quotas = {"a=1/1s", "b"};
         },
         "--quota: can't read 'b'"},
        {"rate", [](TypedOptions& t) { t.fail_rates = {"200=1"}; },
         "--fail-rate: can't read '200=1'"},
        {"rates that are more than all",
         [](TypedOptions& t) {
             t.fail_rates = {"500=0.6", "503=0.5"};
         },
         "--fail-rate: the fractions add up to more than 1"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        TypedOptions typed;
        row.change(typed);
        try {
            read_options(typed);
            ADD_FAILURE() << "was taken";
        } catch (const cli::Misuse& error) {
            EXPECT_THAT(error.what(), HasSubstr(row.says));
        }
    }
}

TEST(MockTypedOptions, TenTenthsAreNotMoreThanAll) {
    TypedOptions typed;
    for (int i = 0; i < 10; ++i) typed.fail_rates.push_back("503=0.1");
    EXPECT_EQ(read_options(typed).fail_rates.size(), 10U);
}

class MockCommandTest : public testing::Test {
protected:
    MockCommandTest() {
        cli::Command root = program_.root();
        add_options(root, typed_);
    }
    // The exit code; 0: all was taken.
    int parse(const std::vector<std::string>& words) { return program_.run(words); }

    TypedOptions typed_;

private:
    cli::Program program_{"mock", ""};
};

TEST_F(MockCommandTest, RepeatableOptionsTakeOneWordEach) {
    EXPECT_EQ(parse({"--model", "a", "--model", "b", "--quota", "a=1/1s", "--quota", "b=1/1s"}), 0);
    EXPECT_THAT(typed_.options.models, ElementsAre("a", "b"));
    EXPECT_THAT(typed_.quotas, ElementsAre("a=1/1s", "b=1/1s"));
    EXPECT_NE(parse({"--model", "a", "b"}), 0);
}

TEST_F(MockCommandTest, HasBounds) {
    EXPECT_EQ(parse({"--tokens", "0"}), 0);
    EXPECT_EQ(parse({"--tokens", "1000000"}), 0);
    EXPECT_NE(parse({"--tokens", "1000001"}), 0);
    EXPECT_NE(parse({"--tokens", "-1"}), 0);
    EXPECT_NE(parse({"--tls", "/dev/null"}), 0);
    EXPECT_NE(parse({"--tls", "/no/such/file,/dev/null"}), 0);
    EXPECT_EQ(parse({"--tls", "/dev/null,/dev/null"}), 0);
    EXPECT_THAT(typed_.tls, ElementsAre("/dev/null", "/dev/null"));
    EXPECT_NE(parse({"--no-such-option"}), 0);
}

}  // namespace
}  // namespace rotary::mock
