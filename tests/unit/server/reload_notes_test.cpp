#include "server/reload_notes.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::server {
namespace {

// Routes as rows have them: "chat/p*" is one of production with a list of models, "chat/s" one of
// the sandbox without.
routing::Snapshot snapshot_of(const std::vector<std::string>& routes) {
    routing::Snapshot snapshot;
    for (const std::string& text : routes) {
        routing::Route& route = snapshot.routes.emplace_back();
        const std::size_t slash = text.find('/');
        route.api = text.substr(0, slash);
        route.environment = text.at(slash + 1) == 'p' ? routing::Environment::production
                                                      : routing::Environment::sandbox;
        if (text.ends_with('*')) route.list = 0;
    }
    return snapshot;
}

TEST(ReloadNotes, AnApiWithoutItsListIsToldOf) {
    struct Row {
        const char* name;
        std::vector<std::string> then;
        std::vector<std::string> now;
        std::set<std::string> lost;
    };
    const Row rows[] = {
        {"as before", {"chat/p*"}, {"chat/p*"}, {}},
        {"the list is gone, the route is not", {"chat/p*"}, {"chat/p"}, {"chat/production"}},
        {"the API is gone", {"chat/p*"}, {}, {}},
        {"never had one", {"chat/p"}, {"chat/p"}, {}},
        {"has one now", {"chat/p"}, {"chat/p*"}, {}},
        {"another route has it still", {"chat/p*"}, {"chat/p", "chat/p*"}, {}},
        {"one of two routes had it", {"chat/p*", "chat/p"}, {"chat/p"}, {"chat/production"}},
        {"of one environment", {"chat/p*", "chat/s*"}, {"chat/p*", "chat/s"}, {"chat/sandbox"}},
        {"of another API", {"chat/p*"}, {"chat/p*", "more/p"}, {}},
        {"of all",
         {"a/p*", "b/p*", "b/s*"},
         {"a/p", "b/p", "b/s"},
         {"a/production", "b/production", "b/sandbox"}},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(rotations_lost(snapshot_of(row.then), snapshot_of(row.now)), row.lost)
            << row.name;
    }
}

TEST(ReloadNotes, NamesAreOneLine) {
    EXPECT_EQ(joined({}), "");
    EXPECT_EQ(joined({"workers"}), "workers");
    EXPECT_EQ(joined({"workers", "admin.port"}), "workers, admin.port");
}

TEST(ReloadNotes, WithoutAnythingThatWaitsThereIsNoAdvice) {
    EXPECT_EQ(restart_advice({}), "");
    EXPECT_EQ(restart_advice({"workers", "admin.port"}),
              "these settings wait for a restart: workers, admin.port\n");
}

}  // namespace
}  // namespace rotary::server
