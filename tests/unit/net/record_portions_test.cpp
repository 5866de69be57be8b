#include "net/record_portions.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace rotary::net {
namespace {

struct Row {
    const char* name;
    std::vector<std::size_t> pieces;   // sizes
    std::vector<std::size_t> records;  // sizes of what is to come
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

constexpr std::size_t kMost = kMostRecordBytes;

const Row kRows[] = {
    {"Nothing", {}, {}},
    {"EmptyPiecesOnly", {0, 0}, {}},
    {"OnePiece", {5}, {5}},
    {"SmallOnesTogether", {5, 0, 7, 1}, {13}},
    {"ARecordExactly", {kMost}, {kMost}},
    {"OneByteMore", {kMost + 1}, {kMost, 1}},
    {"TogetherARecordExactly", {kMost - 1, 1}, {kMost}},
    {"TogetherOneByteMore", {kMost - 1, 2}, {kMost, 1}},
    {"ALargeOneBehindASmallOne", {10, 3 * kMost}, {kMost, kMost, kMost, 10}},
    {"EmptyOnesAtTheEnds", {0, kMost, 0}, {kMost}},
};

class RecordPortionsTest : public testing::TestWithParam<Row> {};

TEST_P(RecordPortionsTest, KeepTheBytesAndTheirOrder) {
    std::vector<std::string> texts;
    std::string all;
    char letter = 'a';
    for (const std::size_t size : GetParam().pieces) {
        texts.emplace_back(size, letter++);
        all += texts.back();
    }
    const std::vector<std::string_view> pieces(texts.begin(), texts.end());
    const auto space = std::make_unique<std::array<char, kMostRecordBytes>>();
    RecordPortions portions(pieces);
    std::vector<std::size_t> records;
    std::string passed;
    while (!portions.empty()) {
        const std::string_view record = portions.next(*space);
        records.push_back(record.size());
        passed += record;
    }
    EXPECT_EQ(records, GetParam().records);
    EXPECT_EQ(passed, all);
}

INSTANTIATE_TEST_SUITE_P(All, RecordPortionsTest, testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

// What fills a record, or is the last, is encrypted from where it lies.
TEST(RecordPortions, CopyOnlyWhatMustBePutTogether) {
    const std::string large(kMostRecordBytes + 10, 'x');
    const std::vector<std::string_view> pieces{large};
    std::array<char, kMostRecordBytes> space;
    RecordPortions portions(pieces);
    EXPECT_EQ(portions.next(space).data(), large.data());
    EXPECT_EQ(portions.next(space).data(), large.data() + kMostRecordBytes);
}

}  // namespace
}  // namespace rotary::net
