// What a wiring takes over of the one before it.
#include <rotary/proxy/wiring.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "unit/proxy/one_request.hpp"

namespace rotary::proxy {
namespace {

class WiringBefore : public testing::Test {
protected:
    std::shared_ptr<const routing::Snapshot> snapshot(const std::vector<std::string>& entries,
                                                      bool has_prices = false) {
        OneRequest& made = *requests_.emplace_back(
            std::make_unique<OneRequest>(std::vector<std::string>{"a", "b"}));
        made.rotate(entries);
        if (has_prices) {
            made.snapshot->prices =
                std::make_shared<quota::PriceTable>(std::vector<config::PriceEntry>{});
        }
        return made.snapshot;
    }

    metrics::Registry registry_;

private:
    std::vector<std::unique_ptr<OneRequest>> requests_;
};

TEST_F(WiringBefore, EntriesThatStayKeepTheirSeries) {
    auto before = wire_up(snapshot({"m0@a", "m1@b"}), registry_);
    const auto after = wire_up(snapshot({"new@a", "m1@b", "m0@a"}), registry_, before.get());
    const std::vector<EntrySeries>& old = before->entries.front();
    const std::vector<EntrySeries>& now = after->entries.front();
    EXPECT_EQ(now[2].lease, old[0].lease);
    EXPECT_EQ(now[1].lease, old[1].lease);
    EXPECT_NE(now[0].lease, old[0].lease);
    EXPECT_EQ(now[1].tokens[4].index, old[1].tokens[4].index);
    EXPECT_NE(now[1].learnt, old[1].learnt) << "a reload begins anew";

    // They are as found by their names, and held on when the first wiring goes.
    before.reset();
    const auto looked_up = wire_up(snapshot({"m0@a", "m1@b"}), registry_);
    EXPECT_EQ(looked_up->entries.front()[1].tokens[4].index, now[1].tokens[4].index);
    EXPECT_EQ(looked_up->entries.front()[0].suspensions[1].index, now[2].suspensions[1].index);
}

TEST_F(WiringBefore, AModelAtAnotherBackendIsAnotherEntry) {
    const auto before = wire_up(snapshot({"m0@a"}), registry_);
    const auto after = wire_up(snapshot({"m0@b"}), registry_, before.get());
    EXPECT_NE(after->entries.front()[0].tokens[0].index,
              before->entries.front()[0].tokens[0].index);
}

TEST_F(WiringBefore, PricesBringSeriesThatWereNotThere) {
    const auto before = wire_up(snapshot({"m0@a"}), registry_);
    EXPECT_EQ(before->entries.front()[0].cost.nanos.index, 0U);
    const auto after = wire_up(snapshot({"m0@a"}, true), registry_, before.get());
    EXPECT_NE(after->entries.front()[0].cost.nanos.index, 0U);
}

}  // namespace
}  // namespace rotary::proxy
