#include "control/watched_folders.hpp"

#include <gtest/gtest.h>

#include <support/mounted_volume.hpp>
#include <support/temp_dir.hpp>

#include <sys/inotify.h>

#include <filesystem>
#include <string>
#include <vector>

namespace rotary::control {
namespace {

namespace fs = std::filesystem;

// A tree as the rows below need it:
//   conf/rotary.yaml   conf/apis/one.yaml   conf/link -> apis   conf/loop -> loop
//   conf/twice -> link   conf/dangling -> gone/for/good   mount/ as the kubelet makes it
class WatchedFolders : public testing::Test {
protected:
    WatchedFolders() {
        dir_.write("conf/rotary.yaml", "");
        dir_.write("conf/apis/one.yaml", "");
        const fs::path conf = dir_.path() / "conf";
        fs::create_symlink("apis", conf / "link");
        fs::create_symlink("link", conf / "twice");
        fs::create_symlink("loop", conf / "loop");
        fs::create_symlink("gone/for/good", conf / "dangling");
        volume_.publish({{"one.yaml", ""}});
    }
    // What is watched in that folder of the tree: "*", names, or "" for nothing.
    std::string watched(const std::string& path, const std::string& folder) const {
        const Interests all = interests_of({dir_ / path});
        const auto place = all.find(folder.empty() ? dir_.path().string() : dir_ / folder);
        if (place == all.end()) return "";
        std::string text = place->second.everything ? "*" : "";
        for (const std::string& name : place->second.names) {
            text.append(text.empty() ? "" : " ").append(name);
        }
        return text;
    }

    test::TempDir dir_;
    test::MountedVolume volume_{dir_.path() / "mount"};
};

TEST_F(WatchedFolders, AreThoseOnTheWayToWhatWasNamed) {
    struct Row {
        const char* name;
        const char* path;
        const char* folder;
        const char* watched;
    };
    const Row rows[] = {
        {"a file in its folder", "conf/rotary.yaml", "conf", "rotary.yaml"},
        {"the folder's name above it", "conf/rotary.yaml", "", "conf"},
        {"a folder, all of it", "conf/apis", "conf/apis", "*"},
        {"a folder's own name", "conf/apis", "conf", "apis"},
        {"written with a slash", "conf/apis/", "conf/apis", "*"},
        {"written with dots", "conf/../conf/apis/.", "conf/apis", "*"},
        {"a file that is not there", "conf/new.yaml", "conf", "new.yaml"},
        {"a folder that is not there", "conf/new/one.yaml", "conf", "new"},
        {"and what would be in it", "conf/new/deep/one.yaml", "conf/new", ""},
        {"a symlink's name", "conf/link", "conf", "apis link"},
        {"where it leads", "conf/link", "conf/apis", "*"},
        {"a file behind a symlink", "conf/link/one.yaml", "conf/apis", "one.yaml"},
        {"symlink to symlink", "conf/twice", "conf", "apis link twice"},
        {"and where that leads", "conf/twice", "conf/apis", "*"},
        {"a symlink to itself ends", "conf/loop", "conf", "loop"},
        {"a symlink to nowhere", "conf/dangling", "conf", "dangling gone"},
        {"a mounted file", "mount/one.yaml", "mount", "..2026_1 ..data one.yaml"},
        {"its real folder", "mount/one.yaml", "mount/..2026_1", "one.yaml"},
        {"a mounted folder", "mount", "mount", "*"},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(watched(row.path, row.folder), row.watched) << row.name;
    }
}

TEST_F(WatchedFolders, SeveralPlacesInAFolderAreOneInterest) {
    const Interests all = interests_of({dir_ / "conf/rotary.yaml", dir_ / "conf/apis"});
    const Interest& conf = all.at(dir_ / "conf");
    EXPECT_EQ(conf.names, (std::set<std::string>{"apis", "rotary.yaml"}));
    EXPECT_FALSE(conf.everything);
    EXPECT_TRUE(interests_of({}).empty());
}

TEST_F(WatchedFolders, ARelativePathIsFromWhereTheProcessStands) {
    const fs::path before = fs::current_path();
    fs::current_path(dir_.path() / "conf");
    const Interests all = interests_of({"rotary.yaml"});
    fs::current_path(before);
    EXPECT_TRUE(all.at(dir_ / "conf").names.contains("rotary.yaml"));
}

TEST(Interest, IsConcernedByWhatMayBeAChange) {
    const Interest one{false, {"rotary.yaml", "..data"}};
    const Interest all{true, {}};
    struct Row {
        const char* name;
        const Interest& interest;
        std::uint32_t mask;
        const char* file;
        bool concerned;
    };
    const Row rows[] = {
        {"its file was written", one, IN_CLOSE_WRITE, "rotary.yaml", true},
        {"another was written", one, IN_CLOSE_WRITE, "other.yaml", false},
        {"an editor's copy", one, IN_CREATE, "rotary.yaml~", false},
        {"its file was renamed into place", one, IN_MOVED_TO, "rotary.yaml", true},
        {"a ConfigMap's swap", one, IN_MOVED_TO, "..data", true},
        {"its file is gone", one, IN_DELETE, "rotary.yaml", true},
        {"the folder is gone", one, IN_DELETE_SELF, "", true},
        {"the folder was renamed", one, IN_MOVE_SELF, "", true},
        {"the folder was unmounted", one, IN_UNMOUNT, "", true},
        {"the watch is gone", one, IN_IGNORED, "", true},
        {"events were lost", one, IN_Q_OVERFLOW, "", true},
        {"something without a name", one, IN_CREATE, "", false},
        {"anything in a folder", all, IN_CREATE, "other.yaml", true},
        {"a folder in a folder", all, IN_CREATE | IN_ISDIR, "more", true},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(row.interest.concerned_by(row.mask, row.file), row.concerned) << row.name;
    }
}

TEST(Interest, TakesInWhatAnotherWants) {
    Interest interest{false, {"a"}};
    interest.add({false, {"b"}});
    EXPECT_EQ(interest.names, (std::set<std::string>{"a", "b"}));
    EXPECT_FALSE(interest.everything);
    interest.add({true, {}});
    interest.add({false, {}});
    EXPECT_TRUE(interest.everything) << "for good";
}

}  // namespace
}  // namespace rotary::control
