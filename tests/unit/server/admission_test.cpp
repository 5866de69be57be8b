#include "server/admission.hpp"

#include <gtest/gtest.h>

#include <support/front.hpp>
#include <support/running.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <list>
#include <memory>
#include <string>

namespace rotary::server {
namespace {

// A client's socket, connected; closed when it goes.
class Client {
public:
    explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(::connect(fd_, generic, sizeof address), 0);
    }
    ~Client() { ::close(fd_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void say(char byte) const { EXPECT_EQ(::send(fd_, &byte, 1, MSG_NOSIGNAL), 1); }
    // The other side has closed; what it did before this call is seen at once on loopback.
    bool ended() const {
        char byte = 0;
        return ::recv(fd_, &byte, 1, MSG_DONTWAIT) == 0;
    }

private:
    int fd_;
};

// One worker as its admission knows it, on a loop that the test turns. Its sessions are places
// and no more.
struct OneWorker {
    struct Session {
        Session(OneWorker& worker, int fd)
            : descriptor(worker.reactor, fd), node(worker.sessions, descriptor) {}
        net::Descriptor descriptor;
        net::SessionSet::Node node;
    };

    OneWorker(net::ConnectionLimit& limit, metrics::Registry& counts, Logger& log)
        : registry(counts),
          sessions(reactor, &limit),
          admission({reactor, sessions, shard, log, &limit}, counts,
                    [this](std::size_t, int fd) { served.emplace_back(*this, fd); }) {
        registry.attach(&shard);
        net::Listener::Options options;
        options.address = "127.0.0.1";
        listener = std::make_unique<net::Listener>(reactor, options,
                                                   [this](int fd) { admission.accept(0, fd); });
        admission.add(*listener);
    }
    ~OneWorker() {
        admission.close();
        listener->stop();
        test::settle(reactor);
        served.clear();
        reactor.stop();
        registry.detach(&shard);
    }
    OneWorker(const OneWorker&) = delete;
    OneWorker& operator=(const OneWorker&) = delete;

    void make_idle(Session& session) {
        reactor.refresh_now();
        session.node.enter_idle();
    }
    // Ends those whose place has gone to another.
    void end_evicted() {
        served.remove_if([](const Session& session) { return session.node.evicted(); });
    }

    metrics::Registry& registry;
    net::Reactor reactor;
    net::SessionSet sessions;
    metrics::Shard shard;
    std::list<Session> served;
    Admission admission;
    std::unique_ptr<net::Listener> listener;
};

class AdmissionTest : public testing::Test {
protected:
    // A client of that worker, met by it and by all whom it asks.
    std::unique_ptr<Client> come(OneWorker& worker) {
        auto client = std::make_unique<Client>(worker.listener->port());
        settle();
        return client;
    }
    void settle() {
        for (bool busy = true; busy;) {
            one_.reactor.refresh_now();
            other_.reactor.refresh_now();
            busy = test::settle(one_.reactor);
            busy = test::settle(other_.reactor) || busy;
            one_.end_evicted();
            other_.end_evicted();
        }
    }
    double counted(const std::string& series) const {
        return test::metric_of(registry_.scrape(), series);
    }
    double refused() const { return counted("rotary_connections_refused_total{reason=\"limit\"}"); }
    double evicted() const { return counted("rotary_connections_evicted_total"); }

    Logger log_{LogLevel::error};
    metrics::Registry registry_;
    net::ConnectionLimit limit_{2};
    OneWorker one_{limit_, registry_, log_};
    OneWorker other_{limit_, registry_, log_};
};

TEST_F(AdmissionTest, WhileThereIsAPlaceClientsAreLetIn) {
    const auto first = come(one_);
    const auto second = come(other_);
    EXPECT_EQ(one_.served.size(), 1U);
    EXPECT_EQ(other_.served.size(), 1U);
    EXPECT_EQ(limit_.open(), 2U);
    EXPECT_EQ(evicted(), 0);
    EXPECT_EQ(refused(), 0);
}

TEST_F(AdmissionTest, WithoutAPlaceAndAnIdleOneClientsAreRefused) {
    const auto first = come(one_);
    const auto second = come(one_);
    const auto third = come(one_);
    const auto fourth = come(other_);
    EXPECT_TRUE(third->ended());
    EXPECT_TRUE(fourth->ended());
    EXPECT_FALSE(first->ended());
    EXPECT_FALSE(second->ended());
    EXPECT_EQ(refused(), 2);
    EXPECT_EQ(limit_.open(), 2U);
}

TEST_F(AdmissionTest, TheLongestIdleOfTheWorkerMakesRoom) {
    const auto first = come(one_);
    const auto second = come(one_);
    one_.make_idle(one_.served.back());
    one_.make_idle(one_.served.front());
    const auto third = come(one_);
    EXPECT_TRUE(second->ended()) << "it has been idle for longest";
    EXPECT_FALSE(first->ended());
    EXPECT_FALSE(third->ended());
    EXPECT_EQ(one_.served.size(), 2U);
    EXPECT_EQ(limit_.open(), 2U);
    EXPECT_EQ(evicted(), 1);
    EXPECT_EQ(refused(), 0);
}

TEST_F(AdmissionTest, TheLongestIdleOfAnotherWorkerMakesRoom) {
    const auto first = come(other_);
    const auto second = come(one_);
    other_.make_idle(other_.served.front());
    one_.make_idle(one_.served.front());
    const auto third = come(one_);
    EXPECT_TRUE(first->ended());
    EXPECT_FALSE(second->ended());
    EXPECT_FALSE(third->ended());
    EXPECT_EQ(other_.served.size(), 0U);
    EXPECT_EQ(one_.served.size(), 2U);
    EXPECT_EQ(limit_.open(), 2U);
    EXPECT_EQ(evicted(), 1);
}

TEST_F(AdmissionTest, OneThatHasJustSpokenIsNotIdle) {
    const auto first = come(one_);
    const auto second = come(one_);
    one_.make_idle(one_.served.front());
    one_.make_idle(one_.served.back());
    first->say('G');
    const auto third = come(one_);
    EXPECT_FALSE(first->ended());
    EXPECT_TRUE(second->ended());
    EXPECT_FALSE(third->ended());
}

TEST_F(AdmissionTest, WhenAllThatSeemedIdleHaveSpokenTheNewOneIsRefused) {
    const auto first = come(one_);
    const auto second = come(other_);
    one_.make_idle(one_.served.front());
    other_.make_idle(other_.served.front());
    first->say('G');
    second->say('G');
    const auto third = come(one_);
    EXPECT_TRUE(third->ended());
    EXPECT_EQ(refused(), 1);
    EXPECT_EQ(evicted(), 0);
    EXPECT_EQ(limit_.open(), 2U);
    one_.served.clear();
    const auto fourth = come(one_);
    EXPECT_FALSE(fourth->ended()) << "the listener goes on";
    EXPECT_EQ(one_.served.size(), 1U);
}

// While one waits for its place the next waits in the kernel's queue, and no descriptor is spent.
TEST_F(AdmissionTest, ALineOfClientsIsLetInOneByOne) {
    const auto first = come(other_);
    const auto second = come(other_);
    other_.make_idle(other_.served.front());
    other_.make_idle(other_.served.back());
    const Client third(one_.listener->port());
    const Client fourth(one_.listener->port());
    one_.reactor.refresh_now();
    test::settle(one_.reactor);
    EXPECT_EQ(one_.served.size(), 0U) << "the other worker has yet to answer";
    EXPECT_EQ(limit_.open(), 2U);
    settle();
    EXPECT_EQ(one_.served.size(), 2U);
    EXPECT_EQ(evicted(), 2);
    EXPECT_EQ(limit_.open(), 2U);
}

TEST_F(AdmissionTest, APlaceThatIsGivenBackMeanwhileIsTaken) {
    const auto first = come(other_);
    const auto second = come(other_);
    other_.make_idle(other_.served.front());
    const Client third(one_.listener->port());
    test::settle(one_.reactor);  // asks
    other_.served.clear();
    settle();
    EXPECT_EQ(one_.served.size(), 1U);
    EXPECT_EQ(evicted(), 0);
    EXPECT_EQ(refused(), 0);
    EXPECT_EQ(limit_.open(), 1U);
}

TEST_F(AdmissionTest, AtTheEndNobodyMakesRoomAnyMore) {
    const auto first = come(one_);
    const auto second = come(one_);
    one_.make_idle(one_.served.front());
    one_.admission.close();
    const auto third = come(one_);
    EXPECT_TRUE(third->ended());
    EXPECT_FALSE(first->ended());
    EXPECT_EQ(refused(), 1);
    EXPECT_EQ(evicted(), 0);
}

TEST_F(AdmissionTest, APlaceWhoseClientIsGoneIsGivenBack) {
    const auto first = come(other_);
    const auto second = come(other_);
    other_.make_idle(other_.served.front());
    const Client third(one_.listener->port());
    test::settle(one_.reactor);  // asks
    one_.admission.close();
    settle();
    EXPECT_TRUE(third.ended());
    EXPECT_TRUE(first->ended()) << "it was asked before";
    EXPECT_EQ(refused(), 1);
    EXPECT_EQ(evicted(), 1);
    EXPECT_EQ(limit_.open(), 1U) << "the place is nobody's";
}

}  // namespace
}  // namespace rotary::server
