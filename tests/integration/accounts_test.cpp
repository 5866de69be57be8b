// The books agree: what the metrics, the access log, the ledger and the budgets say of many
// requests of every kind is one and the same, to the token and the nanodollar, and what the
// provider counted.
#include "gateway_fixture.hpp"

#include <support/sanitized.hpp>
#include <support/temp_dir.hpp>
#include <support/tokens.hpp>

#include <rotary/control/ledger_file.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

namespace rotary::test {
namespace {

constexpr std::size_t kClients = 6;
constexpr std::array kConsumers{"team-a", "team-b", "team-c"};
constexpr unsigned kWords = 16;  // of an answer

// More by hand: ROTARY_ACCOUNT_REQUESTS=100000.
std::size_t requests_to_make() {
    const char* asked = std::getenv("ROTARY_ACCOUNT_REQUESTS");
    if (asked != nullptr) return std::strtoull(asked, nullptr, 10);
    return kSanitized ? 400 : 2000;
}

// Whose, of which model, from which Backend. The model is empty where the client chose it.
using Account = std::tuple<std::string, std::string, std::string>;

struct Book {
    std::uint64_t requests = 0;
    std::uint64_t input = 0;
    std::uint64_t output = 0;
    std::int64_t nanos = 0;
    std::uint64_t unpriced = 0;
    std::uint64_t untold = 0;
    friend bool operator==(const Book&, const Book&) = default;
    Book& operator+=(const Book& other) {
        requests += other.requests;
        input += other.input;
        output += other.output;
        nanos += other.nanos;
        unpriced += other.unpriced;
        untold += other.untold;
        return *this;
    }
    friend std::ostream& operator<<(std::ostream& out, const Book& book) {
        return out << book.requests << " requests, " << book.input << " in, " << book.output
                   << " out, " << book.nanos << " nanos, " << book.unpriced << " unpriced, "
                   << book.untold << " untold";
    }
};
using Books = std::map<Account, Book>;

// The part of a line that the sums are made of.
struct Line {
    Account account;
    Book book;
    std::string source;
    std::string answer;  // the provider's id of it
    bool is_whole = false;
};

// Of a line of the log, whose names have points in them. Empty: it is not there.
std::string text_at(const std::string& line, const std::string& key) {
    const std::string name = "\"" + key + "\":";
    std::size_t begin = line.find(name);
    if (begin == line.npos) return {};
    begin += name.size();
    if (line[begin] != '"') return line.substr(begin, line.find_first_of(",}", begin) - begin);
    return line.substr(begin + 1, line.find('"', begin + 1) - begin - 1);
}

std::uint64_t number_at(const std::string& line, const std::string& key) {
    const std::string text = text_at(line, key);
    return text.empty() ? 0 : std::stoull(text);
}

class Accounts : public testing::Test {
protected:
    Accounts() {
        mock::MockOptions one;
        one.tokens = kWords;
        one.kept_requests = 0;
        one.kept_usage = 10'000'000;
        one.fail_rates = {{503, 0.04}};
        mock::MockOptions other = one;
        other.fail_rates = {{429, 0.03}, {500, 0.02}};
        mocks_[0] = start_mock(one);
        mocks_[1] = start_mock(other);
    }

    GatewayOptions options() const {
        GatewayOptions made;
        made.workers = 2;
        made.suspend_seconds = 0;
        made.backends = {backend_of(*mocks_[0]), backend_of(*mocks_[1])};
        made.production = {{"gpt-4o", 0, 3}, {"gpt-4o-mini", 1, 2}, {"free", 1, 1}};
        made.process =
            "timeouts: {log_flush: 20ms}\nrouting: {forward_headers: [x-mock-fault]}\n"
            "limits: {access_log_buffer_bytes: 67108864}\n"
            "prices: [" +
            dir_.write("p.yaml",
                       "- {provider: \"*\", model: gpt-4o, input: \"2.5\", output: 10}\n"
                       "- {provider: \"*\", model: gpt-4o-mini, input: \"0.075\", output: "
                       "\"0.6\"}\n"
                       "- {provider: OpenAI, model: \"o*\", input: \"1.1\", output: \"4.4\"}\n") +
            "]\nbudgets: {ledger: " + ledger() + "}\n";
        for (const char* consumer : kConsumers) {
            made.resources +=
                std::string(
                    "---\nkind: Budget\napiVersion: rotary.dev/v1alpha1\nmetadata: {name: "
                    "budget-of-") +
                consumer + "}\nspec: {target: {kind: Consumer, name: " + consumer +
                "}, amount: \"1000000\", period: Total}\n";
        }
        return made;
    }
    std::string ledger() const { return dir_ / "ledger.db"; }

    // One request of each kind that there is, as chance has it.
    static Request request_of(std::mt19937& chance, const std::string& token) {
        const auto one_in = [&](unsigned of) { return chance() % of == 0; };
        constexpr std::array kAsked{"o1", "o3-mini", "gpt-4o-2024-08-06", "unheard-of"};
        std::string body = R"({"model":")";
        body += kAsked[chance() % kAsked.size()];
        body += "\",";
        if (one_in(2)) body += "\"stream\":true,";
        if (one_in(5)) body += R"("stream_options":{"include_usage":true},)";
        body += R"("messages":[{"role":"user","content":")" + std::string(chance() % 600, 'x') +
                R"("}]})";
        Request request = one_in(4) ? sandbox_chat() : chat();
        request.body = body;
        for (auto& [name, value] : request.headers) {
            if (name == "Authorization" || name == "authorization") value = "Bearer " + token;
        }
        if (one_in(12)) {
            constexpr std::array kFaults{"close-after=400", "close-after=900", "reset=1500",
                                         "truncate=2500",   "status=503",      "garbage"};
            request.headers.emplace_back("x-mock-fault", kFaults[chance() % kFaults.size()]);
        }
        return request;
    }

    static std::string token_of(const char* consumer) {
        tools::TokenOptions options = token_options();
        options.subject = consumer;
        return make_token(options);
    }

    // Makes its share of the requests, on connections that are kept while they last.
    void run_client(const Gateway& gateway, std::size_t number, std::size_t requests) {
        std::mt19937 chance(static_cast<unsigned>(number) + 1);
        std::vector<std::string> tokens;
        for (const char* consumer : kConsumers) tokens.push_back(token_of(consumer));
        auto client = std::make_unique<TestClient>(gateway.client());
        for (std::size_t i = 0; i < requests; ++i) {
            const Request request = request_of(chance, tokens[chance() % tokens.size()]);
            const bool leaves = chance() % 10 == 0;
            bool is_usable = client->send(request);
            if (leaves) {
                if (chance() % 2 == 0) client->read_head();  // else before anything came
                client->reset();
                is_usable = false;
            } else {
                try {
                    const Response response = client->read_response();
                    is_usable = response.ending == Ending::framed &&
                                response.header("connection") != "close";
                } catch (const ClientError&) {
                    is_usable = false;
                }
            }
            if (!is_usable) client = std::make_unique<TestClient>(gateway.client());
        }
    }

    static Line line_of(const std::string& text) {
        Line line;
        line.source = text_at(text, "usage");
        line.answer = text_at(text, "backend") + " " + text_at(text, "upstream_request_id");
        line.account = {text_at(text, "consumer"), text_at(text, "gen_ai.request.model"),
                        text_at(text, "backend")};
        line.is_whole =
            text_at(text, "response_code") == "200" && text_at(text, "error.code").empty();
        line.book.requests = 1;
        line.book.input = number_at(text, "input_tokens");
        line.book.output = number_at(text, "output_tokens");
        line.book.nanos = static_cast<std::int64_t>(number_at(text, "cost_nd"));
        line.book.unpriced = text_at(text, "cost_nd").empty() ? 1 : 0;
        line.book.untold = line.source == "told" ? 0 : 1;
        return line;
    }

    static std::vector<Line> lines_of(const std::string& log) {
        std::vector<Line> lines;
        std::istringstream text(log);
        for (std::string line; std::getline(text, line);) lines.push_back(line_of(line));
        return lines;
    }

    static Books books_of(const std::vector<Line>& lines) {
        Books books;
        for (const Line& line : lines) {
            if (!line.source.empty() && line.source != "none") books[line.account] += line.book;
        }
        return books;
    }

    Books books_of_ledger() const {
        Books books;
        control::LedgerFile file(ledger());
        file.read(0, INT32_MAX, [&](const quota::SpendKey& key, const quota::Spend& spend) {
            // Where clients choose, the log has what they wrote, the ledger what the list calls it.
            const bool is_chosen = key.names[2] == "sandbox";
            const std::string model(is_chosen ? std::string_view{} : key.names[4]);
            Book book;
            book.requests = spend.requests;
            book.input = spend.usage.input;
            book.output = spend.usage.output;
            book.nanos = spend.nanos;
            book.unpriced = spend.unpriced;
            book.untold = spend.estimated;
            books[{std::string(key.names[0]), model, std::string(key.names[5])}] += book;
        });
        return books;
    }

    // What the provider itself says of each of its answers.
    std::map<std::string, mock::MockUsage> counted() const {
        std::map<std::string, mock::MockUsage> answers;
        for (std::size_t i = 0; i < mocks_.size(); ++i) {
            for (const mock::MockUsage& usage : mocks_[i]->usage()) {
                std::array<char, 48> name{};
                std::snprintf(name.data(), name.size(), "backend-%zu req_%016llx", i,
                              static_cast<unsigned long long>(usage.answer));
                answers.emplace(name.data(), usage);
            }
        }
        return answers;
    }

    static void expect_same(const Books& one, const Books& other) {
        for (const auto& [account, book] : one) {
            const auto found = other.find(account);
            const auto& [consumer, model, backend] = account;
            EXPECT_TRUE(found != other.end()) << consumer << " " << model << " " << backend;
            if (found != other.end()) {
                EXPECT_EQ(book, found->second) << consumer << " " << model << " " << backend;
            }
        }
        EXPECT_EQ(one.size(), other.size());
    }

    TempDir dir_;
    std::array<std::unique_ptr<mock::MockProvider>, 2> mocks_;
};

void expect_metrics(const std::string& page, const Books& books) {
    std::map<std::pair<std::string, std::string>, Book> by_entry;
    for (const auto& [account, book] : books) {
        by_entry[{std::get<1>(account), std::get<2>(account)}] += book;
    }
    for (const auto& [entry, book] : by_entry) {
        const std::string labels = "model=\"" + entry.first + "\",backend=\"" + entry.second + "\"";
        const auto sum = [&](const char* name, const std::string& more) {
            return static_cast<std::uint64_t>(sum_of(page, name, labels + more));
        };
        EXPECT_EQ(sum("rotary_tokens_total", ",type=\"input\""), book.input) << labels;
        EXPECT_EQ(sum("rotary_tokens_total", ",type=\"output\""), book.output) << labels;
        EXPECT_EQ(sum("rotary_cost_nanodollars_total", ""), book.nanos) << labels;
        EXPECT_EQ(sum("rotary_cost_unpriced_total", ""), book.unpriced) << labels;
    }
}

// What of the budgets is used, of both environments together.
void expect_budgets(const std::string& limits, const Books& books) {
    std::map<std::string, std::int64_t> spent;
    for (const auto& [account, book] : books) spent[std::get<0>(account)] += book.nanos;
    std::map<std::string, std::int64_t> used;
    for (std::size_t i = 0; i < json_size(limits, "limits"); ++i) {
        const std::string place = "limits." + std::to_string(i) + ".";
        used[json_at(limits, place + "for")] += std::stoll(json_at(limits, place + "used"));
    }
    for (const char* consumer : kConsumers) {
        EXPECT_EQ(used[std::string("consumer ") + consumer], spent[consumer]) << consumer;
        EXPECT_GT(spent[consumer], 0) << consumer;
    }
}

TEST_F(Accounts, AgreeToTheTokenAndTheNanodollar) {
    const std::size_t requests = requests_to_make();
    Gateway gateway(options());
    in_parallel(kClients, [&](std::size_t number) {
        run_client(gateway, number, (requests + kClients - 1) / kClients);
    });
    // Those whose client has left are ended within some time.
    ASSERT_TRUE(eventually([&] { return gateway.metric("rotary_requests_in_flight") == 0; }));
    const std::string page = gateway.admin("/metrics");
    const std::string limits = gateway.admin("/api/v1/limits");
    gateway.stop();
    for (const auto& mock : mocks_) mock->stop();

    const std::vector<Line> lines = lines_of(gateway.access_log());
    EXPECT_EQ(sum_of(page, "rotary_access_log_dropped_lines_total"), 0);
    const Books books = books_of(lines);
    expect_same(books, books_of_ledger());
    expect_metrics(page, books);
    expect_budgets(limits, books);

    // One by one: what was told is what the provider counted, of an answer of its own, and an
    // answer that came to its end was told.
    const std::map<std::string, mock::MockUsage> answers = counted();
    std::set<std::string> seen;
    std::size_t told = 0;
    std::size_t broken = 0;
    for (const Line& line : lines) {
        const auto answer = answers.find(line.answer);
        if (line.is_whole) {
            EXPECT_EQ(line.source, "told") << line.answer;
        } else if (line.source == "estimated" || line.source == "partial") {
            ++broken;
        }
        if (line.source != "told") continue;
        ++told;
        EXPECT_TRUE(seen.insert(line.answer).second) << line.answer << " is told twice";
        ASSERT_NE(answer, answers.end()) << line.answer;
        EXPECT_TRUE(answer->second.was_told) << line.answer;
        EXPECT_EQ(line.book.input, answer->second.input) << line.answer;
        EXPECT_EQ(line.book.output, answer->second.output) << line.answer;
    }
    // The mix is what it should be.
    EXPECT_GT(told, requests / 2);
    EXPECT_GT(broken, requests / 100);
    EXPECT_GT(sum_of(page, "rotary_failovers_total"), 0);
    Book all;
    for (const auto& [account, book] : books) all += book;
    EXPECT_GT(all.unpriced, 0u);
    std::ostringstream told_of;
    told_of << all << "; " << told << " told, " << broken << " broken off, of " << lines.size();
    RecordProperty("books", told_of.str());
    std::cout << told_of.str() << "\n";
}

}  // namespace
}  // namespace rotary::test
