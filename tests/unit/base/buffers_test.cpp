#include <rotary/base/buffers.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace {

using rotary::Buffer;
using rotary::BufferPool;

BufferPool::Limits small_limits() {
    BufferPool::Limits limits;
    limits.read_bytes = 1024;
    limits.kept_read_buffers = 2;
    limits.kept_body_bytes = 16384;
    return limits;
}

void put(Buffer& buffer, const std::string& text) {
    ASSERT_LE(text.size(), buffer.space_size());
    std::memcpy(buffer.space(), text.data(), text.size());
    buffer.produced(text.size());
}

TEST(Buffer, EmptyOneHoldsNothing) {
    const Buffer buffer;
    EXPECT_FALSE(buffer);
    EXPECT_TRUE(buffer.empty());
    EXPECT_EQ(buffer.capacity(), 0U);
}

TEST(Buffer, ProducesAndConsumes) {
    BufferPool pool(small_limits());
    Buffer buffer = pool.read_buffer();
    EXPECT_EQ(buffer.capacity(), 1024U);
    put(buffer, "hello world");
    buffer.consume(6);
    EXPECT_EQ(buffer.view(), "world");
    EXPECT_EQ(buffer.space_size(), 1024U - 11U);
    buffer.compact();
    EXPECT_EQ(buffer.view(), "world");
    EXPECT_EQ(buffer.begin(), buffer.data());
    EXPECT_EQ(buffer.space_size(), 1024U - 5U);
    buffer.consume(5);
    EXPECT_EQ(buffer.space_size(), 1024U) << "an emptied buffer starts at its front again";
}

TEST(Buffer, MovesItsBlock) {
    BufferPool pool(small_limits());
    Buffer from = pool.read_buffer();
    put(from, "bytes");
    const char* block = from.data();
    Buffer to = std::move(from);
    EXPECT_FALSE(from);  // NOLINT(bugprone-use-after-move): that is what is tested
    EXPECT_EQ(to.data(), block);
    EXPECT_EQ(to.view(), "bytes");
    Buffer other = pool.read_buffer();
    other = std::move(to);
    EXPECT_EQ(other.view(), "bytes");
    EXPECT_EQ(pool.kept_bytes(), 1024U) << "what was there before went back";
}

TEST(Buffer, TailBehindItsCapacityIsReadable) {
    BufferPool pool(small_limits());
    for (int round = 0; round < 2; ++round) {
        const Buffer buffer = pool.body(5000);
        Buffer& same = const_cast<Buffer&>(buffer);
        unsigned sum = 0;
        for (std::size_t i = 0; i < 64; ++i) {
            sum += static_cast<unsigned char>(same.data()[buffer.capacity() + i]);
        }
        EXPECT_EQ(sum, 0U);
    }
}

TEST(BufferPool, BodiesAreWholePowersOfTwo) {
    struct Row {
        std::size_t asked;
        std::size_t capacity;
    };
    const std::vector<Row> rows = {{0, 4096},       {1, 4096},         {4096, 4096},
                                   {4097, 8192},    {40000, 65536},    {65536, 65536},
                                   {65537, 131072}, {1 << 20, 1 << 20}};
    BufferPool pool(small_limits());
    for (const Row& row : rows) {
        SCOPED_TRACE(row.asked);
        EXPECT_EQ(pool.body(row.asked).capacity(), row.capacity);
    }
}

TEST(BufferPool, ReusesWhatCameBack) {
    BufferPool pool(small_limits());
    Buffer first = pool.read_buffer();
    const char* block = first.data();
    first.reset();
    EXPECT_EQ(pool.kept_bytes(), 1024U);
    EXPECT_EQ(pool.read_buffer().data(), block);
}

TEST(BufferPool, ReusedBufferIsEmpty) {
    BufferPool pool(small_limits());
    Buffer first = pool.read_buffer();
    put(first, "secret");
    first.reset();
    EXPECT_TRUE(pool.read_buffer().empty());
}

TEST(BufferPool, KeepsNoMoreReadBuffersThanItsLimit) {
    BufferPool pool(small_limits());
    std::vector<Buffer> taken;
    for (int i = 0; i < 5; ++i) taken.push_back(pool.read_buffer());
    taken.clear();
    EXPECT_EQ(pool.kept_bytes(), 2U * 1024U);
}

TEST(BufferPool, KeepsNoMoreBodyBytesThanItsLimit) {
    BufferPool pool(small_limits());
    std::vector<Buffer> taken;
    for (int i = 0; i < 5; ++i) taken.push_back(pool.body(8192));
    taken.clear();
    EXPECT_EQ(pool.kept_bytes(), 16384U);
    pool.body(1 << 20).reset();
    EXPECT_EQ(pool.kept_bytes(), 16384U) << "one beyond the limit is not kept at all";
}

TEST(BufferPool, BodyOfAReadBuffersSizeIsOne) {
    BufferPool::Limits limits = small_limits();
    limits.read_bytes = 8192;
    BufferPool pool(limits);
    pool.body(8000).reset();
    EXPECT_EQ(pool.kept_bytes(), 8192U);
    const Buffer body = pool.body(8000);
    EXPECT_EQ(pool.kept_bytes(), 0U);
}

TEST(MemoryBudget, IsExactAndComesBack) {
    rotary::MemoryBudget budget(100);
    EXPECT_TRUE(budget.take(60));
    EXPECT_FALSE(budget.take(41));
    EXPECT_TRUE(budget.take(40));
    budget.set_most(50);
    EXPECT_FALSE(budget.take(1));
    budget.give(100);
    EXPECT_EQ(budget.used(), 0U);
}

TEST(BufferPool, GrowsWithinItsBudget) {
    rotary::MemoryBudget budget(16384);
    BufferPool pool(small_limits(), &budget);
    {
        Buffer first;
        ASSERT_TRUE(pool.grow(first, 10));
        EXPECT_EQ(first.capacity(), 4096U);
        put(first, "kept");
        ASSERT_TRUE(pool.grow(first, 5000));
        EXPECT_EQ(first.capacity(), 8192U);
        EXPECT_EQ(first.view(), "kept");
        EXPECT_EQ(budget.used(), 8192U);
        Buffer second;
        ASSERT_TRUE(pool.grow(second, 8192));
        EXPECT_FALSE(pool.grow(second, 8193));
        EXPECT_EQ(second.capacity(), 8192U);
        Buffer third;
        EXPECT_FALSE(pool.grow(third, 1));
        EXPECT_FALSE(third);
        const Buffer moved = std::move(first);
        EXPECT_EQ(budget.used(), 16384U);
        const Buffer beside = pool.body(100'000);  // not a body of a request: not counted
        EXPECT_EQ(budget.used(), 16384U);
    }
    EXPECT_EQ(budget.used(), 0U);
    Buffer again;  // a block that was kept for reuse counts like a new one
    ASSERT_TRUE(pool.grow(again, 16384));
    EXPECT_EQ(budget.used(), 16384U);
}

}  // namespace
