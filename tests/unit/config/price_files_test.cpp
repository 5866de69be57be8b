// Price lists as files that rotary.yaml names.
#include <rotary/config/load.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "unit/config/loading.hpp"

namespace rotary::config {
namespace {

namespace fs = std::filesystem;

class PriceFiles : public testing::Test {
protected:
    void SetUp() override {
        const auto* test = testing::UnitTest::GetInstance()->current_test_info();
        folder_ = fs::temp_directory_path() /
                  ("rotary-prices-" + std::to_string(getpid()) + "-" + test->name());
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    std::string path(const std::string& name) const { return (folder_ / name).string(); }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / name) << text;
    }
    Loaded load_with(const std::string& more) const {
        write("rotary.yaml", "listeners: [{port: 1, plaintext: true}]\n" + more);
        return load(path("rotary.yaml"), variables({{"RATE", "7"}}));
    }

    fs::path folder_;
};

TEST_F(PriceFiles, AreReadInTheirOrderAndWatched) {
    write("ours.yaml", "- {provider: A, model: m, input: \"${RATE}\"}\n");
    write("theirs.json", R"({"a/m": {"litellm_provider": "a", "input_cost_per_token": 1e-6}})");
    const Loaded loaded = load_with("prices: [theirs.json, ours.yaml]\n");
    EXPECT_FALSE(has_errors(loaded.findings)) << to_text(loaded.findings);
    ASSERT_EQ(loaded.prices.size(), 2u);
    EXPECT_EQ(loaded.prices[0].provider, "a");
    EXPECT_EQ(loaded.prices[0].model, "m");
    EXPECT_EQ(loaded.prices[1].rates.front(), 7'000'000);
    for (const char* name : {"ours.yaml", "theirs.json"}) {
        EXPECT_NE(std::ranges::find(loaded.files, path(name)), loaded.files.end()) << name;
    }
}

TEST_F(PriceFiles, AreAPartOfTheFingerprint) {
    write("p.yaml", "- {provider: A, model: m, input: 1}\n");
    const std::string before = load_with("prices: [p.yaml]\n").fingerprint;
    EXPECT_EQ(load_with("prices: [p.yaml]\n").fingerprint, before);
    write("p.yaml", "- {provider: A, model: m, input: 2}\n");
    EXPECT_NE(load_with("prices: [p.yaml]\n").fingerprint, before);
}

TEST_F(PriceFiles, ThatAreWrongAreToldOfWhereTheyAre) {
    write("p.yaml", "- {provider: A,\n   model: m, input: -1}\n");
    write("large.json", "{\"a\": \"" + std::string(1100, 'x') + "\"}");
    const Loaded loaded =
        load_with("prices: [none.yaml, p.yaml, large.json]\nlimits: {resource_file_bytes: 1024}\n");
    const std::string text = to_text(loaded.findings);
    for (const std::string& part :
         {std::string("rotary.yaml:2:10: error: prices[0]: "),
          path("p.yaml") + ":2:21: error: [0].input: must",
          path("large.json") + ": error: larger than limits.resource_file_bytes, 1024 bytes"}) {
        EXPECT_NE(text.find(part), text.npos) << part << "\n" << text;
    }
}

}  // namespace
}  // namespace rotary::config
