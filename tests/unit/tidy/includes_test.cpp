// Who may include whom, and where a library is at home.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "unit/tidy/source_tree.hpp"

namespace rotary::tidy {

namespace {

namespace fs = std::filesystem;

struct Include {
    std::size_t line;
    std::string name;
};

std::vector<Include> includes_of(const File& file) {
    static const std::regex kInclude(R"re(^\s*#\s*include\s*[<"]([^>"]+)[>"])re");
    std::vector<Include> found;
    const auto lines = lines_of(file.text);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        std::smatch match;
        if (std::regex_search(lines[i], match, kInclude)) found.push_back({i + 1, match[1]});
    }
    return found;
}

Findings rooms_include_downward(const File& file) {
    Findings findings;
    const std::string room = room_of(file.path);
    if (room.empty()) return findings;
    for (const auto& [line, name] : includes_of(file)) {
        const bool shared = name.starts_with("rotary/");
        std::string other = name.substr(shared ? 7 : 0);
        other = other.substr(0, other.find('/'));
        if (other == room || !floors().contains(other) || name.find('/') == std::string::npos)
            continue;
        if (!shared)
            findings.push_back({line, name + " is a private header of room " + other});
        else if (floors().at(other) >= floors().at(room))
            findings.push_back({line, room + " may not include " + name + ": only lower floors"});
    }
    return findings;
}

struct Home {
    std::string_view library;  // how its includes begin
    std::vector<std::string_view> places;
};

Findings libraries_stay_home(const File& file) {
    static const std::vector<std::string_view> kOpensslHomes = {"include/rotary/base/openssl.hpp",
                                                                "src/net/",
                                                                "src/auth/",
                                                                "src/config/check/certificate.cpp",
                                                                "src/config/fingerprint.cpp",
                                                                "src/control/verified_tls.cpp",
                                                                "src/demo/client.",
                                                                "src/fleet/lease_key.cpp",
                                                                "src/fleet/script.cpp",
                                                                "src/tools/",
                                                                "src/app/version.cpp",
                                                                "tests/",
                                                                "bench/load/"};
    static const std::vector<Home> kHomes = {
        {"yaml-cpp/", {"src/config/yaml/"}},
        {"rapidjson/", {"src/wire/json_"}},
        {"re2/", {"src/routing/"}},
        {"ares.h", {"src/net/dns_client.cpp", "src/net/dns_answer.cpp", "tests/"}},
        {"sqlite3.h", {"src/control/ledger_file.cpp", "tests/"}},
        {"hiredis/", {"src/fleet/redis_protocol.cpp"}},
        {"CLI/", {"src/cli/", "bench/load/"}},
        {"openssl/", kOpensslHomes},
        {"rotary/base/openssl.hpp", kOpensslHomes},
        {"boost/beast",
         {"src/control/", "src/admin/", "src/kubernetes/", "src/mock/", "src/demo/",
          "src/base/asio.cpp", "tests/"}},
    };
    Findings findings;
    for (const auto& [line, name] : includes_of(file))
        for (const auto& [library, places] : kHomes) {
            const auto here = [&](std::string_view place) { return file.path.starts_with(place); };
            if (name.starts_with(library) && std::none_of(places.begin(), places.end(), here))
                findings.push_back({line, name + " is at home elsewhere"});
        }
    return findings;
}

std::vector<std::string> folders_of(const char* path) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(fs::path(ROTARY_SOURCE_DIR) / path))
        if (entry.is_directory() && !fs::is_empty(entry)) names.push_back(entry.path().filename());
    return names;
}

TEST(Tidy, RoomsIncludeOnlyLowerFloors) {
    expect_rule_finds(
        rooms_include_downward,
        {
            {"downward", "src/proxy/a.cpp", "#include \"rotary/net/stream.hpp\"\n", 0},
            {"its own", "src/net/a.cpp", "#include \"rotary/net/stream.hpp\"\n", 0},
            {"its own private", "src/net/a.cpp", "#include \"net/epoll.hpp\"\n", 0},
            {"outside libraries", "src/base/a.cpp", "#include <sys/epoll.h>\n", 0},
            {"tests see all", "tests/unit/base/a.cpp", "#include \"rotary/mock/provider.hpp\"\n",
             0},
            {"routing reads config", "src/routing/a.cpp",
             "#include \"rotary/config/settings/settings.hpp\"\n", 0},
            {"upward", "src/base/a.cpp", "#include \"rotary/wire/message.hpp\"\n", 1},
            {"upward, header", "include/rotary/wire/a.hpp", "#include <rotary/proxy/a.hpp>\n", 1},
            {"sideways", "src/net/a.cpp", "#include \"rotary/wire/message.hpp\"\n", 1},
            {"sideways, spaced", "src/config/a.cpp", "# include \"rotary/wire/a.hpp\"\n", 1},
            {"another's private", "src/app/a.cpp", "#include \"server/worker.hpp\"\n", 1},
        });
    expect_tree_keeps(rooms_include_downward);
}

TEST(Tidy, FoldersAreRooms) {
    ASSERT_FALSE(floors().empty()) << "no list of rooms";
    EXPECT_EQ(folders_of("src").size(), floors().size());
    for (const char* root : {"src", "include/rotary", "tests/unit"})
        for (const std::string& name : folders_of(root))
            EXPECT_TRUE(floors().contains(name) || name == "tidy")
                << root << '/' << name << " is no room";
}

TEST(Tidy, LibrariesStayInTheirHomes) {
    expect_rule_finds(
        libraries_stay_home,
        {
            {"yaml at home", "src/config/yaml/node.cpp", "#include <yaml-cpp/yaml.h>\n", 0},
            {"c-ares abroad", "src/net/resolver.cpp", "#include <ares.h>\n", 1},
            {"yaml in a header", "include/rotary/config/a.hpp", "#include <yaml-cpp/yaml.h>\n", 1},
            {"yaml abroad", "src/app/check.cpp", "#include <yaml-cpp/yaml.h>\n", 1},
            {"json at home", "src/wire/json_writer.cpp", "#include <rapidjson/writer.h>\n", 0},
            {"json next door", "src/wire/problem.cpp", "#include <rapidjson/writer.h>\n", 1},
            {"beast in the mock", "src/mock/session.cpp", "#include <boost/beast/http.hpp>\n", 0},
            {"beast compiled once", "src/base/asio.cpp", "#include <boost/beast/src.hpp>\n", 0},
            {"beast in a test", "tests/support/a.cpp", "#include <boost/beast.hpp>\n", 0},
            {"patterns at home", "src/routing/route_table.cpp", "#include <re2/re2.h>\n", 0},
            {"patterns abroad", "src/proxy/cors.cpp", "#include <re2/re2.h>\n", 1},
            {"keys at home", "src/auth/key_set.cpp", "#include <openssl/pem.h>\n", 0},
            {"owners at home", "src/net/tls.cpp", "#include <rotary/base/openssl.hpp>\n", 0},
            {"owners abroad", "src/net2/a.cpp", "#include <rotary/base/openssl.hpp>\n", 1},
            {"owners in a header", "include/rotary/auth/key_set.hpp",
             "#include <rotary/base/openssl.hpp>\n", 1},
            {"keys abroad", "src/proxy/admit.cpp", "#include <openssl/evp.h>\n", 1},
            {"TLS in a header", "include/rotary/net/tls.hpp", "#include <openssl/ssl.h>\n", 1},
            {"beast on the path", "src/net/stream.cpp", "#include <boost/beast/core.hpp>\n", 1},
            {"beast in a room", "src/base/asio2.cpp", "#include <boost/beast.hpp>\n", 1},
        });
    expect_tree_keeps(libraries_stay_home);
}

}  // namespace

}  // namespace rotary::tidy
