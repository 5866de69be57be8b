#include <rotary/control/ledger_file.hpp>

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace rotary::control {

namespace {

constexpr int kApplication = 0x526f7441;  // "RotA"
constexpr int kBusyMilliseconds = 200;    // that another process may hold a lock

constexpr const char* kSchemaText = R"(
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE spend (
  quarter_hour INTEGER NOT NULL, consumer TEXT NOT NULL, api TEXT NOT NULL,
  environment TEXT NOT NULL,
  provider TEXT NOT NULL, model TEXT NOT NULL, backend TEXT NOT NULL,
  requests INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL,
  input INTEGER NOT NULL, output INTEGER NOT NULL, cached_read INTEGER NOT NULL,
  cache_write INTEGER NOT NULL, cache_write_long INTEGER NOT NULL, audio_in INTEGER NOT NULL,
  image_in INTEGER NOT NULL, reasoning INTEGER NOT NULL, audio_out INTEGER NOT NULL,
  milliseconds INTEGER NOT NULL, images INTEGER NOT NULL, web_searches INTEGER NOT NULL,
  nanos INTEGER NOT NULL,
  PRIMARY KEY (quarter_hour, consumer, api, environment, provider, model, backend)) WITHOUT ROWID;
)";

// The columns behind the key, in the order of the table.
constexpr std::uint64_t quota::Spend::*kRequests[] = {
    &quota::Spend::requests, &quota::Spend::unpriced, &quota::Spend::estimated};
constexpr std::uint64_t llm::Usage::*kCounts[] = {
    &llm::Usage::input,        &llm::Usage::output,           &llm::Usage::cached_read,
    &llm::Usage::cache_write,  &llm::Usage::cache_write_long, &llm::Usage::audio_in,
    &llm::Usage::image_in,     &llm::Usage::reasoning,        &llm::Usage::audio_out,
    &llm::Usage::milliseconds, &llm::Usage::images,           &llm::Usage::web_searches};
constexpr const char* kSums[] = {"requests",     "unpriced",    "estimated",    "input",
                                 "output",       "cached_read", "cache_write",  "cache_write_long",
                                 "audio_in",     "image_in",    "reasoning",    "audio_out",
                                 "milliseconds", "images",      "web_searches", "nanos"};

// What consumers spend is their owner's to read, whatever the umask. SQLite gives the files beside
// it the same rights. A file that is there keeps its own; it must not even be opened here, for
// closing it would drop the locks that SQLite has on it.
void make_private(const std::string& path) {
    const int file = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file >= 0) ::close(file);
}

std::string upsert() {
    std::string sql = "INSERT INTO spend VALUES (?";
    for (std::size_t i = 0; i < quota::SpendKey::kNames + std::size(kSums); ++i) sql += ",?";
    sql += ") ON CONFLICT DO UPDATE SET ";
    for (const char* sum : kSums) {
        if (sum != kSums[0]) sql += ", ";
        sql.append(sum).append(" = ").append(sum).append(" + excluded.").append(sum);
    }
    return sql;
}

// Holds until the statement goes on.
std::string_view text_at(sqlite3_stmt* row, int place) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, place));
    const int size = sqlite3_column_bytes(row, place);
    if (text == nullptr) return {};
    return {text, static_cast<std::size_t>(size)};
}

// The sums, which begin at that place.
quota::Spend spend_at(sqlite3_stmt* row, int place) {
    quota::Spend spend;
    const auto number = [&] {
        return static_cast<std::uint64_t>(sqlite3_column_int64(row, place++));
    };
    for (const auto count : kRequests) spend.*count = number();
    for (const auto count : kCounts) spend.usage.*count = number();
    spend.nanos = sqlite3_column_int64(row, place);
    return spend;
}

constexpr const char* kNames = "consumer, api, environment, provider, model, backend";

// What `text` makes of each sum's name, each behind a comma.
template <class Text>
std::string each_sum(const Text& text) {
    std::string sql;
    for (const char* sum : kSums) sql.append(", ").append(text(std::string(sum)));
    return sql;
}

// Sums by the day, each with the number of its last change, and what keeps them as they are.
std::string schema_of_days() {
    const auto plain = [](const std::string& sum) { return sum; };
    const std::string key = "day, " + std::string(kNames);
    const std::string next = "version = (SELECT max(version) + 1 FROM day_spend)";
    std::string sql = "CREATE TABLE day_spend (version INTEGER PRIMARY KEY, day INTEGER NOT NULL";
    for (const char* name : {"consumer", "api", "environment", "provider", "model", "backend"}) {
        sql.append(", ").append(name).append(" TEXT NOT NULL");
    }
    sql += each_sum([](const std::string& sum) { return sum + " INTEGER NOT NULL"; });
    sql += ", UNIQUE (" + key + "));\n";
    const std::string into = "INSERT INTO day_spend (" + key + each_sum(plain) + ") ";
    sql += into + "SELECT quarter_hour / 96 AS day, " + kNames;
    sql += each_sum([](const std::string& sum) { return "sum(" + sum + ")"; });
    sql += " FROM spend GROUP BY " + key + ";\n";
    sql += "CREATE TRIGGER day_of_new AFTER INSERT ON spend BEGIN " + into;
    sql +=
        "VALUES (NEW.quarter_hour / 96, NEW.consumer, NEW.api, NEW.environment, NEW.provider, "
        "NEW.model, NEW.backend";
    sql += each_sum([](const std::string& sum) { return "NEW." + sum; });
    sql += ") ON CONFLICT (" + key + ") DO UPDATE SET " + next;
    sql +=
        each_sum([](const std::string& sum) { return sum + " = " + sum + " + excluded." + sum; });
    sql += "; END;\nCREATE TRIGGER day_of_more AFTER UPDATE ON spend BEGIN UPDATE day_spend SET ";
    sql += next + each_sum([](const std::string& sum) {
               return sum + " = " + sum + " + NEW." + sum + " - OLD." + sum;
           });
    sql +=
        " WHERE day = NEW.quarter_hour / 96 AND consumer = NEW.consumer AND api = NEW.api AND "
        "environment = NEW.environment AND provider = NEW.provider AND model = NEW.model AND "
        "backend = NEW.backend; END;";
    return sql;
}

}  // namespace

// SQLite's handles, and its errors as exceptions.
struct LedgerFile::Database {
    explicit Database(std::string named) : path(std::move(named)) {}
    ~Database() {
        for (sqlite3_stmt* statement : {insert, select, changes}) sqlite3_finalize(statement);
        sqlite3_close(handle);
    }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    [[noreturn]] void fail() const {
        const char* why = handle == nullptr ? "no memory" : sqlite3_errmsg(handle);
        const int code = handle == nullptr ? SQLITE_NOMEM : sqlite3_errcode(handle);
        const std::string text = "the ledger " + path + ": " + why;
        if (code == SQLITE_NOTADB) throw LedgerRefused(text);
        throw std::runtime_error(text);
    }
    void require(int result) const {
        if (result != SQLITE_OK && result != SQLITE_DONE && result != SQLITE_ROW) fail();
    }
    void run(const char* sql) { require(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr)); }
    sqlite3_stmt* prepare(const std::string& sql) {
        sqlite3_stmt* statement = nullptr;
        const int size = static_cast<int>(sql.size());
        require(sqlite3_prepare_v2(handle, sql.c_str(), size, &statement, nullptr));
        return statement;
    }
    // The first value of what `sql` asks for; empty: there is none.
    std::string ask(const char* sql) {
        sqlite3_stmt* statement = prepare(sql);
        std::string value;
        const int result = sqlite3_step(statement);
        if (result == SQLITE_ROW) {
            const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
            if (text != nullptr) value = text;
        }
        sqlite3_finalize(statement);
        require(result);
        return value;
    }
    void bind(sqlite3_stmt* statement, int place, std::string_view text) const {
        // A null pointer would be SQL's NULL.
        const char* data = text.empty() ? "" : text.data();
        require(
            sqlite3_bind_text64(statement, place, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
    }
    void bind(sqlite3_stmt* statement, int place, std::int64_t number) const {
        require(sqlite3_bind_int64(statement, place, number));
    }

    std::string path;
    sqlite3* handle = nullptr;
    sqlite3_stmt* insert = nullptr;
    sqlite3_stmt* select = nullptr;
    sqlite3_stmt* changes = nullptr;
};

LedgerFile::LedgerFile(const std::string& path, const std::string& currency)
    : path_(path), database_(std::make_unique<Database>(path)) {
    make_private(path);
    database_->require(sqlite3_open_v2(path.c_str(), &database_->handle,
                                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr));
    sqlite3_busy_timeout(database_->handle, kBusyMilliseconds);
    check_kind(true);
    database_->run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
    create(currency);
    if (currency_ != currency) {
        throw LedgerRefused("the ledger " + path + ": it is in " + currency_ + ", not in " +
                            currency + " (budgets.currency); name another file");
    }
    database_->insert = database_->prepare(upsert());
}

LedgerFile::LedgerFile(const std::string& path)
    : path_(path), database_(std::make_unique<Database>(path)) {
    database_->require(
        sqlite3_open_v2(path.c_str(), &database_->handle, SQLITE_OPEN_READONLY, nullptr));
    sqlite3_busy_timeout(database_->handle, kBusyMilliseconds);
    check_kind(false);
    read_meta();
}

LedgerFile::~LedgerFile() = default;

void LedgerFile::read_meta() {
    currency_ = database_->ask("SELECT value FROM meta WHERE name = 'currency'");
    journal_ = database_->ask("SELECT value FROM meta WHERE name = 'journal'");
}

void LedgerFile::check_kind(bool may_create) {
    const std::string application = database_->ask("PRAGMA application_id");
    const std::string schema = database_->ask("PRAGMA user_version");
    const bool is_new = database_->ask("SELECT count(*) FROM sqlite_schema") == "0";
    if (is_new && may_create && application == "0") return;
    if (application != std::to_string(kApplication)) {
        throw LedgerRefused("the ledger " + path_ + ": it is no ledger of Rotary's");
    }
    if (schema == "1") {
        constexpr std::int64_t kQuartersOfAnHour = 4;
        quarters_ = kQuartersOfAnHour;
    } else if (schema != std::to_string(kSchema)) {
        throw LedgerRefused("the ledger " + path_ + ": it has schema " + schema +
                            ", this version knows " + std::to_string(kSchema) +
                            "; use the version that wrote it, or name another file");
    }
}

void LedgerFile::create(const std::string& currency) {
    database_->run("BEGIN IMMEDIATE");
    try {
        if (database_->ask("PRAGMA application_id") == "0") {
            database_->run(kSchemaText);
            sqlite3_stmt* insert = database_->prepare("INSERT INTO meta VALUES ('currency', ?)");
            database_->bind(insert, 1, currency);
            const int result = sqlite3_step(insert);
            sqlite3_finalize(insert);
            database_->require(result);
            database_->run(("PRAGMA application_id = " + std::to_string(kApplication) +
                            "; PRAGMA user_version = " + std::to_string(kSchema))
                               .c_str());
        }
        if (database_->ask("PRAGMA user_version") == "1") bring_up();
        database_->run("INSERT OR IGNORE INTO meta VALUES ('journal', lower(hex(randomblob(8))))");
        database_->run("COMMIT");
    } catch (...) {
        sqlite3_exec(database_->handle, "ROLLBACK", nullptr, nullptr, nullptr);
        throw;
    }
    read_meta();
}

// From schema 1. What an hour's sum was of stays together, in the hour's first quarter.
void LedgerFile::bring_up() {
    database_->run("ALTER TABLE spend RENAME COLUMN hour TO quarter_hour");
    database_->run("UPDATE spend SET quarter_hour = quarter_hour * 4");
    database_->run(("PRAGMA user_version = " + std::to_string(kSchema)).c_str());
    quarters_ = 1;
}

void LedgerFile::write(const quota::SpendTable& sums) {
    database_->run("BEGIN IMMEDIATE");
    try {
        sums.each([this](const quota::SpendKey& key, const quota::Spend& spend) {
            sqlite3_stmt* insert = database_->insert;
            int place = 1;
            database_->bind(insert, place++, key.quarter_hour);
            for (const std::string_view name : key.names) database_->bind(insert, place++, name);
            const auto number = [&](std::uint64_t count) {
                database_->bind(insert, place++, static_cast<std::int64_t>(count));
            };
            for (const auto count : kRequests) number(spend.*count);
            for (const auto count : kCounts) number(spend.usage.*count);
            database_->bind(insert, place++, spend.nanos);
            const int result = sqlite3_step(insert);
            sqlite3_reset(insert);
            database_->require(result);
        });
        database_->run("COMMIT");
    } catch (...) {
        sqlite3_exec(database_->handle, "ROLLBACK", nullptr, nullptr, nullptr);
        throw;
    }
}

void LedgerFile::read(std::int64_t from, std::int64_t to, const Visit& visit) {
    if (database_->select == nullptr) {
        const std::string time = quarters_ == 1 ? "quarter_hour" : "hour";
        database_->select = database_->prepare(
            "SELECT * FROM spend WHERE " + time + " >= ? AND " + time + " < ? ORDER BY " + time +
            ", consumer, api, environment, provider, model, backend");
    }
    sqlite3_stmt* select = database_->select;
    // Rows of hours that begin within are taken whole.
    const auto first_not_before = [this](std::int64_t time) {
        return time / quarters_ + (time > 0 && time % quarters_ != 0 ? 1 : 0);
    };
    database_->bind(select, 1, first_not_before(from));
    database_->bind(select, 2, first_not_before(to));
    int result = SQLITE_ROW;
    while ((result = sqlite3_step(select)) == SQLITE_ROW) {
        int place = 0;
        quota::SpendKey key;
        key.quarter_hour = sqlite3_column_int64(select, place++) * quarters_;
        for (std::string_view& name : key.names) name = text_at(select, place++);
        visit(key, spend_at(select, place));
    }
    sqlite3_reset(select);
    database_->require(result);
}

void LedgerFile::keep_days() {
    if (keeps_days_) return;
    database_->run("BEGIN IMMEDIATE");
    try {
        if (database_->ask("SELECT 1 FROM sqlite_schema WHERE name = 'day_spend'").empty()) {
            database_->run(schema_of_days().c_str());
        }
        database_->run("COMMIT");
    } catch (...) {
        sqlite3_exec(database_->handle, "ROLLBACK", nullptr, nullptr, nullptr);
        throw;
    }
    database_->changes = database_->prepare(
        "SELECT * FROM day_spend WHERE version > ? AND day >= ? ORDER BY version LIMIT ?");
    keeps_days_ = true;
}

DayPage LedgerFile::days_after(std::uint64_t after, std::int64_t first, std::size_t most) {
    keep_days();
    DayPage page;
    page.journal = journal_;
    // Read before the rows: what comes between them has a number above it, and is found next time.
    const std::string last = database_->ask("SELECT max(version) FROM day_spend");
    if (!last.empty()) page.to = std::stoull(last);
    sqlite3_stmt* changes = database_->changes;
    database_->bind(changes, 1, static_cast<std::int64_t>(after));
    database_->bind(changes, 2, first);
    database_->bind(changes, 3, static_cast<std::int64_t>(most) + 1);
    std::uint64_t last_read = 0;
    int result = SQLITE_ROW;
    while ((result = sqlite3_step(changes)) == SQLITE_ROW) {
        page.has_more = page.sums.size() == most;
        if (page.has_more) break;
        int place = 0;
        last_read = static_cast<std::uint64_t>(sqlite3_column_int64(changes, place++));
        DaySum sum;
        sum.day = sqlite3_column_int64(changes, place++);
        for (std::string& name : sum.names) name = text_at(changes, place++);
        sum.spend = spend_at(changes, place);
        page.sums.push_back(std::move(sum));
    }
    sqlite3_reset(changes);
    database_->require(result);
    page.to = page.has_more ? last_read : std::max(page.to, last_read);
    return page;
}

}  // namespace rotary::control
