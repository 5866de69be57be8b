#include "unit/tidy/source_tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace rotary::tidy {

namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

bool is_text(const fs::path& path) {
    static const std::vector<std::string_view> kEndings = {
        ".hpp", ".cpp",  ".cmake", ".txt",  ".md",   ".sh", ".py",  ".mjs", ".js",
        ".lua", ".yaml", ".yml",   ".json", ".conf", ".in", ".css", ".html"};
    static const std::vector<std::string_view> kNames = {"dev", "run", "Dockerfile", ".gitignore"};
    const std::string name = path.filename();
    return std::find(kNames.begin(), kNames.end(), name) != kNames.end() ||
           std::find(kEndings.begin(), kEndings.end(), path.extension()) != kEndings.end();
}

}  // namespace

const Floors& floors() {
    static const Floors kFloors = [] {
        Floors read;
        std::ifstream in(ROTARY_SOURCE_DIR "/cmake/rooms.txt");
        int floor = 0;
        for (std::string room; in >> floor >> room;) read.emplace(room, floor);
        return read;
    }();
    return kFloors;
}

std::string room_of(std::string_view path) {
    for (std::string_view root : {"include/rotary/", "src/"}) {
        if (!path.starts_with(root)) continue;
        path.remove_prefix(root.size());
        const std::string room(path.substr(0, path.find('/')));
        return floors().contains(room) ? room : "";
    }
    return "";
}

const std::vector<File>& tree() {
    static const std::vector<File> kTree = [] {
        static const std::vector<std::string_view> kSkipped = {
            ".git", "build", "node_modules", ".venv", "__pycache__", ".cache"};
        std::vector<File> files;
        const fs::path root = ROTARY_SOURCE_DIR;
        for (auto it = fs::recursive_directory_iterator(root); it != fs::end(it); ++it) {
            const std::string name = it->path().filename();
            if (std::find(kSkipped.begin(), kSkipped.end(), name) != kSkipped.end()) {
                if (it->is_directory()) it.disable_recursion_pending();
            } else if (it->is_regular_file() && is_text(it->path())) {
                files.push_back({it->path().lexically_relative(root), read(it->path())});
            }
        }
        return files;
    }();
    return kTree;
}

const std::set<std::string, std::less<>>& known_paths() {
    static const std::set<std::string, std::less<>> kPaths = [] {
        std::set<std::string, std::less<>> paths;
        for (const File& file : tree()) {
            for (fs::path path = file.path; !path.empty(); path = path.parent_path()) {
                std::string ending = path;
                paths.insert(ending);
                for (std::size_t at = ending.find('/'); at != ending.npos; at = ending.find('/')) {
                    ending.erase(0, at + 1);
                    paths.insert(ending);
                }
            }
        }
        return paths;
    }();
    return kPaths;
}

void expect_tree_keeps(Rule rule) {
    ASSERT_GT(tree().size(), 10U) << "no tree at " << ROTARY_SOURCE_DIR;
    for (const File& file : tree())
        for (const auto& [line, what] : rule(file))
            ADD_FAILURE() << file.path << ":" << line << ": " << what;
}

void expect_rule_finds(Rule rule, const std::vector<Snippet>& snippets) {
    for (const auto& snippet : snippets)
        EXPECT_EQ(rule({snippet.path, snippet.text}).size(), snippet.findings) << snippet.name;
}

std::string repeated(std::string_view text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
}

void expect_rule_finds(TreeRule rule, const std::vector<SmallTree>& trees) {
    for (const auto& tree : trees) {
        EXPECT_EQ(rule(tree.files).size(), tree.findings) << tree.name;
    }
}

void expect_tree_keeps(TreeRule rule) {
    ASSERT_GT(tree().size(), 10U) << "no tree at " << ROTARY_SOURCE_DIR;
    for (const auto& [path, line, what] : rule(tree())) {
        ADD_FAILURE() << path << ":" << line << ": " << what;
    }
}

}  // namespace rotary::tidy
