// OpenSSL's blocks come from the thread's bins and go back there; whatever they do, bytes stay.
#include <rotary/net/tls.hpp>

#include <gtest/gtest.h>

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

namespace rotary::net {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kRecycles = false;
#else
constexpr bool kRecycles = true;
#endif

unsigned char mark(std::size_t size) { return static_cast<unsigned char>(size % 251 + 1); }

bool holds(const void* block, std::size_t size, unsigned char byte) {
    const auto* bytes = static_cast<const unsigned char*>(block);
    return std::all_of(bytes, bytes + size, [&](unsigned char one) { return one == byte; });
}

const std::size_t kSizes[] = {1,    7,    8,    9,     23,    24,    25,    39,    40,   41,
                              1000, 4096, 5000, 17000, 18000, 32760, 32776, 32800, 70000};

class TlsMemoryTest : public testing::Test {
protected:
    // Links the allocator, as every program with TLS does.
    const std::shared_ptr<const TlsContext> context_ = TlsContext::client({});
};

TEST_F(TlsMemoryTest, BlocksDoNotOverlap) {
    for (int round = 0; round < 2; ++round) {  // the second takes what the first gave back
        std::vector<void*> blocks;
        for (const std::size_t size : kSizes) {
            void* const block = OPENSSL_malloc(size);
            ASSERT_NE(block, nullptr);
            std::memset(block, mark(size), size);
            blocks.push_back(block);
        }
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            EXPECT_TRUE(holds(blocks[i], kSizes[i], mark(kSizes[i]))) << kSizes[i];
        }
        for (void* const block : blocks) OPENSSL_free(block);
    }
}

TEST_F(TlsMemoryTest, ABlockThatGrowsKeepsItsBytes) {
    for (const std::size_t size : kSizes) {
        void* block = OPENSSL_malloc(size);
        std::memset(block, mark(size), size);
        block = OPENSSL_realloc(block, size * 2 + 100);
        ASSERT_NE(block, nullptr);
        EXPECT_TRUE(holds(block, size, mark(size))) << size;
        block = OPENSSL_realloc(block, 1);
        EXPECT_TRUE(holds(block, 1, mark(size)));
        OPENSSL_free(block);
    }
}

TEST_F(TlsMemoryTest, NothingIsNoBlock) {
    EXPECT_EQ(OPENSSL_malloc(0), nullptr);
    OPENSSL_free(nullptr);
    EXPECT_EQ(OPENSSL_realloc(OPENSSL_malloc(10), 0), nullptr);
}

TEST_F(TlsMemoryTest, ABlockIsTakenAgainByItsThread) {
    if (!kRecycles) GTEST_SKIP() << "sanitizers see plain malloc";
    // A thread of its own has room in its bins, whatever ran before.
    std::thread([] {
        for (const std::size_t size : {std::size_t{24}, std::size_t{600}, std::size_t{17000}}) {
            void* const first = OPENSSL_malloc(size);
            OPENSSL_free(first);
            void* const second = OPENSSL_malloc(size);
            EXPECT_EQ(second, first) << size;
            OPENSSL_free(second);
        }
    }).join();
}

TEST_F(TlsMemoryTest, BlocksMayGoOnAnotherThread) {
    std::vector<void*> blocks;
    for (int i = 0; i < 100; ++i) blocks.push_back(OPENSSL_malloc(17000));
    std::thread([&] {
        for (void* const block : blocks) OPENSSL_free(block);
        OPENSSL_free(OPENSSL_malloc(17000));
    }).join();
    void* const block = OPENSSL_malloc(17000);
    ASSERT_NE(block, nullptr);
    OPENSSL_free(block);
}

}  // namespace
}  // namespace rotary::net
