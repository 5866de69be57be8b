#pragma once

#include <rotary/quota/spend.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

namespace rotary::control {

// The file is there and is not to be used: another program's, a newer version's, or in another
// currency. To try again helps nothing.
class LedgerRefused : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// The ledger's database, SQLite: what was used and spent, summed by the quarter of an hour. One
// thread.
//
// It keeps a write-ahead log, so `rotary usage` reads while the gateway writes, and commits with
// synchronous = NORMAL: a transaction that was committed outlives the process's death at any moment
// (the kernel has its pages), and a power failure costs no more than what came since the log was
// last synced, and never the file. FULL would wait for the disk at every commit to save that.
class LedgerFile {
public:
    static constexpr int kSchema = 2;  // 1 summed by the hour; it is still read, and brought up

    // Opens it, and creates it if it may, for its owner alone. Throws LedgerRefused, or
    // std::runtime_error for what may pass (a full disk, no right to write), with a sentence that
    // names the file.
    LedgerFile(const std::string& path, const std::string& currency);
    // To read alone.
    explicit LedgerFile(const std::string& path);
    ~LedgerFile();
    LedgerFile(const LedgerFile&) = delete;
    LedgerFile& operator=(const LedgerFile&) = delete;

    // Adds the sums in one transaction: all of them or none. Throws std::runtime_error.
    void write(const quota::SpendTable& sums);

    const std::string& currency() const noexcept { return currency_; }
    // Tells this file from all others for ever: 16 hex digits. Of one that was never opened to
    // write since there are such names, nothing.
    const std::string& journal() const noexcept { return journal_; }
    // The sums of the quarters of an hour [from, to), by time and then by name.
    using Visit = std::function<void(const quota::SpendKey& key, const quota::Spend& spend)>;
    void read(std::int64_t from, std::int64_t to, const Visit& visit);

private:
    struct Database;
    void check_kind(bool may_create);
    void create(const std::string& currency);
    void bring_up();
    void read_meta();

    std::string path_;
    std::string currency_;
    std::string journal_;
    std::int64_t quarters_ = 1;  // in the time of a row
    std::unique_ptr<Database> database_;
};

}  // namespace rotary::control
