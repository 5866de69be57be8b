// Sessions that providers gave: kept in the slot of their endpoint, taken up again while good.
#include "net/tls_session_slots.hpp"
#include "tls_maker.hpp"

#include <gtest/gtest.h>

#include <openssl/ssl.h>

#include <ctime>
#include <memory>
#include <string>

namespace rotary::net {
namespace {

using test::Identity;
using test::make_identity;
using test::make_pair;
using test::shake_hands;
using test::SslPair;

std::shared_ptr<const TlsContext> any_client() {
    static const Identity kIdentity = make_identity("localhost");
    return test::client_of(kIdentity);
}

TEST(SessionSlots, KeepOneAnEndpoint) {
    SessionSlots slots;
    const auto context = any_client();
    const auto one = slots.slot("a:443", context, 10);
    EXPECT_EQ(slots.slot("a:443", context, 10), one);
    EXPECT_NE(slots.slot("a:8443", context, 10), one);
    EXPECT_NE(slots.slot("b:443", context, 10), one);
    EXPECT_EQ(slots.size(), 3U);
}

TEST(SessionSlots, BeginAnewWithAnotherContext) {
    SessionSlots slots;
    auto before = any_client();
    const auto old = slots.slot("a:443", before, 10);
    const auto after = any_client();
    const auto fresh = slots.slot("a:443", after, 10);
    EXPECT_NE(fresh, old);
    EXPECT_EQ(slots.slot("a:443", after, 10), fresh);
    EXPECT_NE(slots.slot("a:443", before, 10), old) << "what it had is forgotten";
    EXPECT_EQ(slots.size(), 1U);
}

TEST(SessionSlots, OfAContextThatIsGoneCountNoMore) {
    SessionSlots slots;
    auto context = any_client();
    const auto old = slots.slot("a:443", context, 10);
    context.reset();
    EXPECT_NE(slots.slot("a:443", any_client(), 10), old);
}

TEST(SessionSlots, AreBounded) {
    for (const auto& [most, kept] : {std::pair<std::size_t, std::size_t>{2, 2}, {1, 1}, {0, 1}}) {
        SessionSlots slots;
        const auto context = any_client();
        for (const char* endpoint : {"a:1", "b:1", "c:1", "d:1"}) {
            const auto slot = slots.slot(endpoint, context, most);
            EXPECT_EQ(slots.slot(endpoint, context, most), slot) << "the newest stays";
            EXPECT_LE(slots.size(), kept);
        }
    }
}

// One provider and one worker's context for it.
class TlsSessionTest : public testing::Test {
protected:
    // A whole connection with this slot; whether it took a session up.
    bool connect(const std::shared_ptr<SessionSlot>& slot) {
        const SslPair pair = make_pair(server_->native(), client_->native());
        use_session_slot(pair.client.get(), slot);
        EXPECT_TRUE(shake_hands(pair));
        char byte = 0;
        SSL_read(pair.client.get(), &byte, 1);  // the ticket of TLS 1.3 comes behind the handshake
        const bool reused = SSL_session_reused(pair.client.get()) == 1;
        for (SSL* const end : {pair.client.get(), pair.server.get()}) {
            SSL_set_shutdown(end, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        }
        return reused;
    }

    const Identity identity_ = make_identity("localhost");
    const std::shared_ptr<const TlsContext> server_ = test::server_of(identity_);
    const std::shared_ptr<const TlsContext> client_ = test::client_of(identity_);
};

TEST_F(TlsSessionTest, IsTakenUpBySlot) {
    const auto slot = std::make_shared<SessionSlot>();
    EXPECT_FALSE(connect(slot));
    EXPECT_NE(slot->newest, nullptr);
    EXPECT_TRUE(connect(slot));
    EXPECT_TRUE(connect(slot)) << "each connection brings a newer one";
    EXPECT_FALSE(connect(std::make_shared<SessionSlot>())) << "another endpoint's";
}

TEST_F(TlsSessionTest, WithoutASlotIsNotKept) {
    EXPECT_FALSE(connect(nullptr));
    EXPECT_FALSE(connect(nullptr));
}

TEST_F(TlsSessionTest, IsOfferedUntilItExpires) {
    const auto slot = std::make_shared<SessionSlot>();
    ASSERT_FALSE(connect(slot));
    const long life = SSL_SESSION_get_timeout(slot->newest);
    const std::pair<long, bool> rows[] = {{0, true}, {life - 60, true}, {life, false}};
    for (const auto& [age, offered] : rows) {
        SSL_SESSION_set_time(slot->newest, std::time(nullptr) - age);
        const test::SslPointer ssl(SSL_new(client_->native()));
        use_session_slot(ssl.get(), slot);
        EXPECT_EQ(SSL_get_session(ssl.get()) != nullptr, offered) << age;
    }
    EXPECT_FALSE(connect(slot));
}

TEST_F(TlsSessionTest, MayOutliveItsConnectionAndItsSlotsOwner) {
    auto slot = std::make_shared<SessionSlot>();
    ASSERT_FALSE(connect(slot));
    const std::weak_ptr<SessionSlot> watch = slot;
    slot.reset();
    EXPECT_TRUE(watch.expired()) << "connections that are gone hold none";
}

}  // namespace
}  // namespace rotary::net
