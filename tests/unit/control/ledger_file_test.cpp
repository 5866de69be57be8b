#include <rotary/control/ledger_file.hpp>

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace rotary::control {
namespace {

namespace fs = std::filesystem;

class LedgerFiles : public testing::Test {
protected:
    void SetUp() override {
        const auto* test = testing::UnitTest::GetInstance()->current_test_info();
        folder_ = fs::temp_directory_path() /
                  ("rotary-ledger-" + std::to_string(getpid()) + "-" + test->name());
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }
    std::string path() const { return (folder_ / "ledger.db").string(); }

    static quota::SpendTable table(std::string_view consumer, std::int64_t time, int nanos) {
        quota::SpendKey key;
        key.quarter_hour = time;
        key.names = {consumer, "chat", "production", "OpenAI", "gpt-4o", "b"};
        llm::Usage usage;
        usage.input = 10;
        usage.web_searches = 3;
        usage.source = llm::UsageSource::told;
        quota::SpendTable made;
        made.add(key, quota::Spend::of(usage, nanos), 100);
        return made;
    }
    static std::vector<std::string> rows(LedgerFile& file, std::int64_t from = -1'000'000,
                                         std::int64_t to = 1'000'000) {
        std::vector<std::string> all;
        file.read(from, to, [&](const quota::SpendKey& key, const quota::Spend& spend) {
            std::string row = std::to_string(key.quarter_hour);
            for (const std::string_view name : key.names) row.append(" ").append(name);
            for (const std::uint64_t count : {spend.requests, spend.unpriced, spend.usage.input,
                                              spend.usage.output, spend.usage.web_searches}) {
                row.append(" ").append(std::to_string(count));
            }
            row.append(" ").append(std::to_string(spend.nanos));
            all.push_back(row);
        });
        return all;
    }
    std::string refused(const std::string& currency = "USD") const {
        try {
            LedgerFile file(path(), currency);
        } catch (const LedgerRefused& error) {
            return error.what();
        }
        return "";
    }

    fs::path folder_;
};

using Rows = std::vector<std::string>;

TEST_F(LedgerFiles, AddUpWhatIsWritten) {
    LedgerFile file(path(), "USD");
    file.write(table("a", 5, 100));
    file.write(table("a", 5, 11));
    file.write(table("", 4, 1));
    file.write(table("a\nb '; DROP TABLE spend", 6, 2));
    EXPECT_EQ(rows(file), (Rows{"4  chat production OpenAI gpt-4o b 1 0 10 0 3 1",
                                "5 a chat production OpenAI gpt-4o b 2 0 20 0 6 111",
                                "6 a\nb '; DROP TABLE spend chat production OpenAI gpt-4o b 1 0 "
                                "10 0 3 2"}));
    EXPECT_EQ(rows(file, 5, 6).size(), 1u) << "the end is not among them";
}

TEST_F(LedgerFiles, OutliveTheirProcessAndAreReadMeanwhile) {
    {
        LedgerFile file(path(), "EUR");
        file.write(table("a", 5, 100));
        LedgerFile reader(path());
        EXPECT_EQ(reader.currency(), "EUR");
        EXPECT_EQ(rows(reader).size(), 1u);
        EXPECT_THROW(reader.write(table("a", 5, 1)), std::exception) << "it may only read";
    }
    LedgerFile again(path(), "EUR");
    again.write(table("a", 5, 1));
    EXPECT_EQ(rows(again), (Rows{"5 a chat production OpenAI gpt-4o b 2 0 20 0 6 101"}));
}

// A child is killed while it writes: each of its transactions is there or is not.
TEST_F(LedgerFiles, AreWholeAfterAKill) {
    { const LedgerFile file(path(), "USD"); }
    int told[2];
    ASSERT_EQ(::pipe(told), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        LedgerFile file(path(), "USD");
        const quota::SpendTable one = table("a", 5, 1);
        for (int i = 0;; ++i) {
            file.write(one);
            if (i == 20 && ::write(told[1], "x", 1) != 1) ::_exit(1);
        }
    }
    char byte = 0;
    ASSERT_EQ(::read(told[0], &byte, 1), 1);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(told[0]);
    ::close(told[1]);
    LedgerFile file(path(), "USD");
    std::uint64_t requests = 0;
    file.read(0, 10, [&](const quota::SpendKey&, const quota::Spend& spend) {
        requests = spend.requests;
        EXPECT_EQ(spend.nanos, static_cast<quota::Nanos>(requests));
        EXPECT_EQ(spend.usage.input, 10 * requests);
    });
    EXPECT_GE(requests, 21u) << "what was committed is there";
}

TEST_F(LedgerFiles, OfOthersAreRefused) {
    std::ofstream(path()) << std::string(5000, 'x');
    EXPECT_NE(refused().find("the ledger " + path()), std::string::npos);
    fs::remove(path());

    sqlite3* other = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &other), SQLITE_OK);
    sqlite3_exec(other, "CREATE TABLE theirs (a)", nullptr, nullptr, nullptr);
    EXPECT_NE(refused().find("is no ledger of Rotary's"), std::string::npos);
    sqlite3_exec(other, "DROP TABLE theirs", nullptr, nullptr, nullptr);
    EXPECT_EQ(refused(), "") << "an empty database is as good as none";

    sqlite3_exec(other, "PRAGMA user_version = 99", nullptr, nullptr, nullptr);
    sqlite3_close(other);
    EXPECT_NE(refused().find("it has schema 99, this version knows 2"), std::string::npos);
}

// The ledgers of the first builds, which summed by the hour.
TEST_F(LedgerFiles, OfSchemaOneAreReadAndBroughtUp) {
    { LedgerFile(path(), "USD").write(table("a", 500'000, 100)); }
    sqlite3* old = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &old), SQLITE_OK);
    ASSERT_EQ(
        sqlite3_exec(old,
                     "ALTER TABLE spend RENAME COLUMN quarter_hour TO hour; "
                     "INSERT INTO spend SELECT 500001, consumer, 'other', environment, "
                     "provider, model, backend, requests, unpriced, estimated, input, output, "
                     "cached_read, cache_write, cache_write_long, audio_in, image_in, "
                     "reasoning, audio_out, milliseconds, images, web_searches, 7 FROM "
                     "spend; PRAGMA user_version = 1",
                     nullptr, nullptr, nullptr),
        SQLITE_OK)
        << sqlite3_errmsg(old);
    sqlite3_close(old);
    const Rows both{"2000000 a chat production OpenAI gpt-4o b 1 0 10 0 3 100",
                    "2000004 a other production OpenAI gpt-4o b 1 0 10 0 3 7"};
    {
        LedgerFile reader(path());
        EXPECT_EQ(rows(reader, 0, 3'000'000), both);
        EXPECT_EQ(rows(reader, 2'000'001, 2'000'005), Rows{both[1]});
        EXPECT_EQ(rows(reader, 0, 2'000'004), Rows{both[0]});
    }
    LedgerFile file(path(), "USD");
    EXPECT_EQ(rows(file, 0, 3'000'000), both);
    file.write(table("a", 2'000'000, 11));
    EXPECT_EQ(rows(file, 0, 2'000'001), Rows{"2000000 a chat production OpenAI gpt-4o b 2 0 20 0 6 "
                                             "111"});
    LedgerFile again(path());
    EXPECT_EQ(rows(again, 0, 3'000'000).size(), 2u);
}

TEST_F(LedgerFiles, AreTheirOwnersAlone) {
    const mode_t before = ::umask(0);
    {
        LedgerFile file(path(), "USD");
        file.write(table("a", 5, 1));
        for (const char* end : {"", "-wal", "-shm"}) {
            const auto rights = fs::status(path() + end).permissions() & fs::perms::all;
            EXPECT_EQ(rights, fs::perms::owner_read | fs::perms::owner_write) << end;
        }
    }
    ::umask(before);
    fs::permissions(path(), fs::perms::group_read, fs::perm_options::add);
    LedgerFile again(path(), "USD");
    EXPECT_NE(fs::status(path()).permissions() & fs::perms::group_read, fs::perms::none)
        << "what an operator has opened stays open";
}

TEST_F(LedgerFiles, KeepTheirCurrency) {
    EXPECT_EQ(refused("USD"), "");
    EXPECT_NE(refused("EUR").find("it is in USD, not in EUR (budgets.currency)"),
              std::string::npos);
}

TEST_F(LedgerFiles, ThatCantBeOpenedMayBeLater) {
    const std::string nowhere = (folder_ / "none" / "ledger.db").string();
    try {
        LedgerFile file(nowhere, "USD");
        FAIL() << "there is no such folder";
    } catch (const LedgerRefused&) {
        FAIL() << "it may be there tomorrow";
    } catch (const std::runtime_error& error) {
        EXPECT_NE(std::string(error.what()).find(nowhere), std::string::npos) << error.what();
    }
    EXPECT_THROW(LedgerFile{nowhere}, std::runtime_error);
}

}  // namespace
}  // namespace rotary::control
