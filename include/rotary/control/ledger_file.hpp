#pragma once

#include <rotary/quota/spend.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace rotary::control {

// The file is there and is not to be used: another program's, a newer version's, or in another
// currency. To try again helps nothing.
class LedgerRefused : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// What was spent on one day (UTC) under the same names, in all.
struct DaySum {
    std::int64_t day = 0;  // since 1970
    std::array<std::string, quota::SpendKey::kNames> names;
    quota::Spend spend;
};

// Sums of days that have changed, in the order of their changes.
struct DayPage {
    std::string journal;  // whose they are
    std::vector<DaySum> sums;
    std::uint64_t to = 0;   // the number of the last change that is in it
    bool has_more = false;  // changes behind that
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
    // Of days from `first` on (since 1970, UTC), at most so many sums whose last change has a
    // number above `after`. A sum that changes gets the next number. They are kept from the first
    // call on, for ever and by whichever version writes: triggers do. Throws std::runtime_error.
    DayPage days_after(std::uint64_t after, std::int64_t first, std::size_t most);

private:
    struct Database;
    void check_kind(bool may_create);
    void create(const std::string& currency);
    void bring_up();
    void read_meta();
    void keep_days();

    std::string path_;
    std::string currency_;
    std::string journal_;
    std::int64_t quarters_ = 1;  // in the time of a row
    bool keeps_days_ = false;
    std::unique_ptr<Database> database_;
};

}  // namespace rotary::control
