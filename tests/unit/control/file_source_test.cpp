#include "control/file_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <support/mounted_volume.hpp>
#include <support/temp_dir.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace rotary::control {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using testing::Contains;
using testing::Not;

constexpr const char* kConfig = "listeners: [{address: 127.0.0.1, port: 0, plaintext: true}]\n";
constexpr const char* kSecret =
    "kind: Secret\napiVersion: v1\nmetadata: {name: s}\nstringData: {k: v}\n";
constexpr const char* kOtherSecret =
    "kind: Secret\napiVersion: v1\nmetadata: {name: t}\nstringData: {k: v}\n";

// rotary.yaml in a folder of its own, read once, and what the source says from then on.
class FileSourceTest : public testing::Test {
protected:
    // With this as rotary.yaml.
    FileSource& open(const std::string& text) {
        write(text);
        const config::Loaded first = config::load(config_, environment());
        source_.emplace(context_, log_, options(), first);
        return *source_;
    }
    void write(const std::string& text) { dir_.write("rotary.yaml", text); }
    SourceOptions options() {
        SourceOptions options;
        options.config_path = config_;
        options.environment = environment();
        options.on_change = [this](config::Loaded now) {
            heard_.push_back(std::move(now));
            if (take_) source_->watch(0ms);
        };
        return options;
    }
    config::Environment environment() {
        return [this](std::string_view name) {
            return name == "ROTARY_TEST_ADDRESS" ? address_ : std::nullopt;
        };
    }
    // Runs the loop until the source has said that much; false when it does not.
    bool heard(std::size_t changes) {
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (heard_.size() < changes && std::chrono::steady_clock::now() < deadline) {
            context_.run_one_until(deadline);
        }
        return heard_.size() == changes;
    }

    test::TempDir dir_;
    const std::string config_ = dir_ / "rotary.yaml";
    boost::asio::io_context context_{1};
    Logger log_{LogLevel::error};
    std::optional<std::string> address_;
    std::vector<config::Loaded> heard_;
    bool take_ = true;  // as the server, which watches again
    std::optional<FileSource> source_;
};

TEST_F(FileSourceTest, ThereIsNoneWithoutAFile) {
    SourceOptions nothing = options();
    nothing.config_path.clear();
    EXPECT_EQ(open_source(context_, log_, nothing, {}), nullptr);
    EXPECT_NE(open_source(context_, log_, options(), {}), nullptr);
}

TEST_F(FileSourceTest, LoadsWhatTheFilesSayNow) {
    FileSource& source = open(kConfig);
    EXPECT_TRUE(source.load().ok());
    write("listeners: [{address: 127.0.0.1, port: 7, plaintext: true}]\n");
    EXPECT_EQ(source.load().config.listeners.at(0).port, 7U);
    write("listeners: nonsense\n");
    EXPECT_FALSE(source.load().ok());
    std::filesystem::remove(config_);
    EXPECT_FALSE(source.load().ok()) << "a file that is gone is a mistake like others";
}

TEST_F(FileSourceTest, AcceptsWhatTheCommandLineAcceptsBesideTheFile) {
    SourceOptions with = options();
    with.accept_unserved = {"RateLimitPolicy"};
    write(kConfig);
    FileSource source(context_, log_, with, {});
    EXPECT_THAT(source.load().config.accept_unserved, Contains("RateLimitPolicy"));
}

TEST_F(FileSourceTest, PlacesAreWhatWasReadAndWhatWasNamed) {
    dir_.write("apis/one.yaml", kSecret);
    const std::string text = std::string(kConfig) + "resources: [apis/, missing/]\n";
    const FileSource& source = open(text);
    for (const char* name : {"rotary.yaml", "apis/one.yaml"}) {
        EXPECT_THAT(source.places(), Contains(dir_ / name));
    }
    const auto ends_with = [](const std::string& end) {
        return testing::Truly([end](const std::string& place) {
            return std::filesystem::path(place).lexically_normal().string().find(end) !=
                   std::string::npos;
        });
    };
    EXPECT_THAT(source.places(), Contains(ends_with("/missing")));
}

// The old configuration stays in force beside a broken one: both have files to look at.
TEST_F(FileSourceTest, PlacesInForceStayUntilAnotherIsInForce) {
    dir_.write("old/one.yaml", kSecret);
    dir_.write("new/two.yaml", kSecret);
    FileSource& source = open(std::string(kConfig) + "resources: [old/]\n");
    write(std::string(kConfig) + "resources: [new/]\n");
    source.load();
    EXPECT_THAT(source.places(), Contains(dir_ / "old/one.yaml")) << "it was not taken";
    EXPECT_THAT(source.places(), Contains(dir_ / "new/two.yaml")) << "it may be repaired";
    source.took_force();
    EXPECT_THAT(source.places(), Not(Contains(dir_ / "old/one.yaml")));
    EXPECT_THAT(source.places(), Contains(dir_ / "new/two.yaml"));
}

TEST_F(FileSourceTest, SaysOnlyWhatDiffersFromWhatWasReadLast) {
    FileSource& source = open(kConfig);
    source.look_again();
    write(kConfig);
    source.look_again();
    EXPECT_EQ(heard_.size(), 0U) << "the file was written, and says what it said";
    write(std::string(kConfig) + "workers: 3\n");
    source.look_again();
    ASSERT_EQ(heard_.size(), 1U);
    EXPECT_EQ(heard_[0].config.workers, 3U);
    source.look_again();
    EXPECT_EQ(heard_.size(), 1U);
    write(kConfig);
    source.look_again();
    EXPECT_EQ(heard_.size(), 2U) << "back to the first is a change too";
    write(std::string(kConfig) + "workers: 4\n");
    source.load();
    source.look_again();
    EXPECT_EQ(heard_.size(), 2U) << "a reload by hand has read it";
}

TEST_F(FileSourceTest, SaysABrokenOneOnceAndThenThatItIsMended) {
    FileSource& source = open(kConfig);
    write("listeners: nonsense\n");
    source.look_again();
    source.look_again();
    ASSERT_EQ(heard_.size(), 1U);
    EXPECT_FALSE(heard_[0].ok());
    write(kConfig);
    source.look_again();
    ASSERT_EQ(heard_.size(), 2U);
    EXPECT_TRUE(heard_[1].ok());
}

TEST_F(FileSourceTest, AVariableIsPartOfWhatItSays) {
    address_ = "127.0.0.1";
    FileSource& source =
        open("listeners: [{address: \"${ROTARY_TEST_ADDRESS}\", port: 0, plaintext: true}]\n");
    source.look_again();
    EXPECT_EQ(heard_.size(), 0U);
    address_ = "127.0.0.2";
    source.look_again();
    EXPECT_EQ(heard_.size(), 1U);
}

TEST_F(FileSourceTest, WatchedFilesTellByThemselves) {
    dir_.write("apis/one.yaml", kSecret);
    FileSource& source = open(std::string(kConfig) + "resources: [apis/]\n");
    source.watch(0ms);
    write(std::string(kConfig) + "resources: [apis/]\nworkers: 2\n");
    EXPECT_TRUE(heard(1));
    dir_.write("apis/two.yaml", kOtherSecret);
    EXPECT_TRUE(heard(2)) << "a file that is new in a folder";
    std::filesystem::remove(dir_ / "apis/one.yaml");
    EXPECT_TRUE(heard(3));
    EXPECT_EQ(heard_.back().resources.secrets.size(), 1U);
}

TEST_F(FileSourceTest, EverySwapOfAConfigMapIsOneChange) {
    test::MountedVolume volume(dir_.path() / "mount");
    volume.publish({{"one.yaml", kSecret}});
    FileSource& source = open(std::string(kConfig) + "resources: [mount/one.yaml]\n");
    source.watch(0ms);
    context_.run_one();  // folders that are newly watched are looked at once more
    EXPECT_EQ(heard_.size(), 0U);
    volume.publish({{"one.yaml", kOtherSecret}});
    ASSERT_TRUE(heard(1));
    EXPECT_TRUE(heard_[0].ok()) << config::to_text(heard_[0].findings);
    volume.publish({{"one.yaml", kSecret}});
    EXPECT_TRUE(heard(2)) << "the folder that it leads to now is watched as well";
}

TEST_F(FileSourceTest, SaysNothingOnceItIsNotWatched) {
    FileSource& source = open(kConfig);
    source.watch(0ms);
    write(std::string(kConfig) + "workers: 2\n");
    source.stop_watching();
    context_.run();  // nothing is left to wait for
    EXPECT_EQ(heard_.size(), 0U);
    context_.restart();
    source.watch(0ms);
    EXPECT_TRUE(heard(1)) << "what was missed is looked at when it is watched again";
}

}  // namespace
}  // namespace rotary::control
