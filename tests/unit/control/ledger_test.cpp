#include <rotary/control/ledger.hpp>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>

#include "support/sampled.hpp"

namespace rotary::control {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class LedgerThread : public testing::Test {
protected:
    LedgerThread()
        : log_file_(std::tmpfile(), &std::fclose),
          log_(LogLevel::debug, LogFormat::json, fileno(log_file_.get())) {}
    void SetUp() override {
        const auto* test = testing::UnitTest::GetInstance()->current_test_info();
        folder_ = fs::temp_directory_path() /
                  ("rotary-ledger-thread-" + std::to_string(getpid()) + "-" + test->name());
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }
    std::string path() const { return (folder_ / "in" / "ledger.db").string(); }
    LedgerOptions options() const { return {path(), "USD", 1000}; }

    static void spend(quota::SpendOutbox& outbox, std::string_view consumer, int nanos) {
        quota::SpendKey key;
        key.names.front() = consumer;
        outbox.add(key, quota::Spend::of({}, nanos), 1000);
    }
    // All that is in the file; -1: it can't be read.
    quota::Nanos written() const {
        try {
            LedgerFile file(path());
            quota::Nanos sum = 0;
            file.read(-1, 1, [&](const quota::SpendKey&, const quota::Spend& spent) {
                sum += spent.nanos;
            });
            return sum;
        } catch (const std::exception&) {
            return -1;
        }
    }
    // Waits for the event; the bound is for a test that has failed.
    bool comes_to(quota::Nanos sum) const {
        const auto bound = std::chrono::steady_clock::now() + 30s;
        while (written() != sum) {
            if (std::chrono::steady_clock::now() > bound) return false;
            std::this_thread::sleep_for(5ms);
        }
        return true;
    }
    std::string logged() {
        log_.flush(1s);
        std::string all(100'000, '\0');
        const auto size = ::pread(fileno(log_file_.get()), all.data(), all.size(), 0);
        all.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
        return all;
    }

    std::unique_ptr<std::FILE, int (*)(std::FILE*)> log_file_;
    Logger log_;
    fs::path folder_;
};

TEST_F(LedgerThread, WritesWhatIsHandedOver) {
    fs::create_directories(folder_ / "in");
    Ledger ledger(options(), log_);
    quota::SpendOutbox& one = ledger.add_outbox();
    quota::SpendOutbox& other = ledger.add_outbox();
    spend(one, "a", 5);
    spend(other, "a", 6);
    ASSERT_TRUE(one.hand_over());
    ASSERT_TRUE(other.hand_over());
    ledger.wake();
    EXPECT_TRUE(comes_to(11));
}

TEST_F(LedgerThread, WritesAllThatIsLeftWhenItStops) {
    fs::create_directories(folder_ / "in");
    Ledger ledger(options(), log_);
    quota::SpendOutbox& outbox = ledger.add_outbox();
    spend(outbox, "a", 5);
    outbox.hand_over();
    spend(outbox, "b", 6);
    ledger.stop();
    EXPECT_EQ(written(), 11);
    ledger.stop();
    EXPECT_EQ(logged(), "");
}

TEST_F(LedgerThread, KeepsWhatItCantWriteAndWritesItLater) {
    Ledger ledger(options(), log_);
    quota::SpendOutbox& outbox = ledger.add_outbox();
    spend(outbox, "a", 5);
    outbox.hand_over();
    ledger.wake();
    EXPECT_NE(logged().find("the ledger can't be opened; it is tried again"), std::string::npos);
    fs::create_directories(folder_ / "in");
    EXPECT_TRUE(comes_to(5));
    spend(outbox, "a", 6);
    outbox.hand_over();
    ledger.wake();
    EXPECT_TRUE(comes_to(11));
    ledger.stop();
    EXPECT_NE(logged().find("the ledger is written again"), std::string::npos);
}

// No room for another page, as on a disk that is full; for the test's log there is.
class NoRoom {
public:
    NoRoom() {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        before_signal_ = std::signal(SIGXFSZ, SIG_IGN);
        rlimit none = before_;
        none.rlim_cur = 4096;
        ::setrlimit(RLIMIT_FSIZE, &none);
    }
    ~NoRoom() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, before_signal_);
    }
    NoRoom(const NoRoom&) = delete;
    NoRoom& operator=(const NoRoom&) = delete;

private:
    rlimit before_{};
    void (*before_signal_)(int) = nullptr;
};

TEST_F(LedgerThread, AFullDiskLosesNothingAndIsTold) {
    fs::create_directories(folder_ / "in");
    Ledger ledger(options(), log_);
    quota::SpendOutbox& outbox = ledger.add_outbox();
    const auto value = [&](const char* name) {
        test::Sampled sampled;
        ledger.sample(sampled);
        return sampled.value(name);
    };
    const auto hand_over = [&](int nanos) {
        spend(outbox, "a", nanos);
        outbox.hand_over();
        ledger.wake();
    };
    hand_over(5);
    ASSERT_TRUE(comes_to(5));
    {
        const NoRoom full;
        hand_over(6);
        while (value("rotary_ledger_failures_total") < 1) std::this_thread::sleep_for(5ms);
        EXPECT_EQ(value("rotary_ledger_waiting"), 1);
        hand_over(7);
    }
    EXPECT_TRUE(comes_to(18)) << "what came before is there, and what could not be written";
    ledger.stop();
    EXPECT_NE(logged().find("the ledger can't be written; what was spent is kept and tried again"),
              std::string::npos);
    EXPECT_NE(logged().find("the ledger is written again"), std::string::npos);
}

TEST_F(LedgerThread, TellsOfWhatItCouldNotWriteAtItsEnd) {
    Ledger ledger(options(), log_);
    spend(ledger.add_outbox(), "a", 5);
    ledger.stop();
    EXPECT_NE(logged().find("the ledger was not written to its end"), std::string::npos);
}

TEST_F(LedgerThread, IsNotMadeForAFileThatIsRefused) {
    fs::create_directories(folder_ / "in");
    { const LedgerFile file(path(), "EUR"); }
    EXPECT_THROW(Ledger(options(), log_), LedgerRefused);
}

}  // namespace
}  // namespace rotary::control
