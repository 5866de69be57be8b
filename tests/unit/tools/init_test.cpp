#include <rotary/tools/init.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <rotary/config/load.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace rotary::tools {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

std::string written(const InitModel& model) {
    return model.name + " " + std::to_string(model.weight);
}

TEST(InitModelText, IsANameAndAWeight) {
    const struct {
        const char* text;
        const char* model;  // empty: refused
    } kCases[] = {
        {"gpt-4o=5", "gpt-4o 5"},
        {"gpt-4o", "gpt-4o 1"},
        {"a=b=2", "a=b 2"},
        {"m=0", "m 0"},
        {"m=1000000000", "m 1000000000"},
        {"m=1000000001", ""},
        {"=5", ""},
        {"", ""},
        {"m=", ""},
        {"m=-1", ""},
        {"m=1.5", ""},
        {"m\n=1", ""},
    };
    for (const auto& one : kCases) {
        const auto model = parse_init_model(one.text);
        EXPECT_EQ(model ? written(*model) : "", one.model) << one.text;
    }
}

TEST(ShellWord, IsQuotedWhereItHasToBe) {
    EXPECT_EQ(shell_word("a/b.yaml"), "a/b.yaml");
    EXPECT_EQ(shell_word("my folder"), "'my folder'");
    EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
    EXPECT_EQ(shell_word("$(rm)"), "'$(rm)'");
    EXPECT_EQ(shell_word(""), "''");
}

class Init : public testing::Test {
protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() /
                  ("rotary-init-" + std::to_string(getpid()) + "-" +
                   testing::UnitTest::GetInstance()->current_test_info()->name());
        options_.dir = (folder_ / "made here").string();
        options_.key_from = "none";
    }
    void TearDown() override { fs::remove_all(folder_); }

    int run() {
        out_.str("");
        err_.str("");
        return init(options_, out_, err_);
    }
    config::Loaded load() const {
        return config::load(options_.dir + "/rotary.yaml",
                            [](std::string_view name) -> std::optional<std::string> {
                                if (name == "A_KEY") return "sk-of-the-test";
                                return std::nullopt;
                            });
    }
    static unsigned mode_of(const std::string& path) {
        struct stat found {};
        return ::stat(path.c_str(), &found) == 0 ? found.st_mode & 0777U : 0;
    }

    fs::path folder_;
    InitOptions options_;
    std::ostringstream out_;
    std::ostringstream err_;
};

TEST_F(Init, WritesAConfigurationWithoutAFinding) {
    options_.embedding_models = {"text-embedding-3-small"};
    ASSERT_EQ(run(), 0) << err_.str();
    const config::Loaded loaded = load();
    EXPECT_EQ(config::to_text(loaded.findings), "");
    ASSERT_EQ(loaded.resources.consumer_keys.size(), 1u);
    EXPECT_EQ(loaded.resources.consumer_keys[0].consumer, "me");
    EXPECT_EQ(loaded.resources.policies.size(), 2u);
}

TEST_F(Init, TakesTheKeyFromTheEnvironmentOrAFile) {
    options_.key_from = "env:A_KEY";
    ASSERT_EQ(run(), 0) << err_.str();
    EXPECT_EQ(load().resources.find_value({"main-key", "apiKey", {}, {}})->reveal(),
              "Bearer sk-of-the-test");
    EXPECT_THAT(out_.str(), HasSubstr("export A_KEY="));
    std::ofstream(folder_ / "key") << "sk-of-a-file\n";
    options_.dir += "2";
    options_.key_from = "file:" + (folder_ / "key").string();
    ASSERT_EQ(run(), 0) << err_.str();
    EXPECT_EQ(load().resources.find_value({"main-key", "apiKey", {}, {}})->reveal(),
              "Bearer sk-of-a-file");
}

TEST_F(Init, AnIssuerMayStandAlone) {
    options_.issuer = "https://idp.example.com";
    options_.no_key = true;
    ASSERT_EQ(run(), 0) << err_.str();
    const config::Loaded loaded = load();
    EXPECT_EQ(config::to_text(loaded.findings), "");
    EXPECT_TRUE(loaded.resources.consumer_keys.empty());
    ASSERT_EQ(loaded.resources.issuers.size(), 1u);
    EXPECT_EQ(loaded.resources.issuers[0].issuer, "https://idp.example.com");
    EXPECT_THAT(out_.str(), Not(HasSubstr("rk_")));
    EXPECT_THAT(out_.str(), HasSubstr("export TOKEN=...\n"));
    EXPECT_THAT(out_.str(), HasSubstr("-H \"Authorization: Bearer $TOKEN\""));
}

TEST_F(Init, IsForItsOwnerAloneAndKeepsNoKey) {
    ASSERT_EQ(run(), 0) << err_.str();
    EXPECT_EQ(mode_of(options_.dir), 0700u);
    EXPECT_EQ(mode_of(options_.dir + "/certs"), 0700u);
    for (const char* name : {"/rotary.yaml", "/certs/server.key"}) {
        EXPECT_EQ(mode_of(options_.dir + name), 0600u) << name;
    }
    EXPECT_FALSE(fs::exists(options_.dir + "/certs/issuer.key"));
    const std::string told = out_.str();
    const std::size_t key = told.find("rk_");
    ASSERT_NE(key, std::string::npos);
    std::ifstream file(options_.dir + "/rotary.yaml");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_THAT(text, Not(HasSubstr(told.substr(key, told.find('\'', key) - key))));
}

TEST_F(Init, OverwritesNothing) {
    ASSERT_EQ(run(), 0) << err_.str();
    std::ofstream(options_.dir + "/rotary.yaml") << "mine";
    EXPECT_EQ(run(), 1);
    EXPECT_THAT(err_.str(), HasSubstr("is there already"));
    std::ifstream file(options_.dir + "/rotary.yaml");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "mine");
}

TEST_F(Init, OptionsThatMakeNoSenseWriteNothing) {
    const struct {
        const char* name;
        void (*spoil)(InitOptions&);
        const char* error;
    } kCases[] = {
        {"key", [](InitOptions& o) { o.key_from = "sk-abc"; }, "says no key"},
        {"variable", [](InitOptions& o) { o.key_from = "env:1A"; }, "says no key"},
        {"model", [](InitOptions& o) { o.models = {"m=x"}; }, "is no model"},
        {"no model", [](InitOptions& o) { o.models = {}; }, "no model is named"},
        {"url", [](InitOptions& o) { o.provider_url = "api.example.com"; },
         "providers.main.url: must begin with https://"},
        {"issuer", [](InitOptions& o) { o.issuer = "http://idp.example.com"; },
         "apis[0].issuer: must begin with https://"},
        {"no caller", [](InitOptions& o) { o.no_key = true; }, "--issuer names one"},
        {"twice",
         [](InitOptions& o) {
             o.models = {"m", "m"};
         },
         "is listed twice"},
    };
    for (const auto& one : kCases) {
        InitOptions spoilt = options_;
        one.spoil(spoilt);
        std::ostringstream err;
        EXPECT_EQ(init(spoilt, out_, err), 2) << one.name;
        EXPECT_THAT(err.str(), HasSubstr(one.error)) << one.name;
        EXPECT_FALSE(fs::exists(options_.dir)) << one.name;
    }
}

// What is typed is never taken for something else by YAML, by variables or by a shell.
TEST_F(Init, OddNamesStayWhatTheyAre) {
    options_.models = {"a: {b} ${C} \"d\" #e=1"};
    options_.consumer = "team: ${X}";
    ASSERT_EQ(run(), 0) << err_.str();
    const config::Loaded loaded = load();
    EXPECT_EQ(config::to_text(loaded.findings), "");
    EXPECT_EQ(loaded.resources.policies.at(0).defaults.rotation->production.at(0).model,
              "a: {b} ${C} \"d\" #e");
    EXPECT_EQ(loaded.resources.consumer_keys.at(0).consumer, "team: ${X}");
}

}  // namespace
}  // namespace rotary::tools
