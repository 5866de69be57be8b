// Every fault of a provider at every place of a connection and an answer: what the client, the next
// entry and the metrics see of it. A cell is asked for twice at once: of a list with a healthy
// entry behind the faulty one (production), and of one where nobody is left (sandbox).
#include "fault_fixture.hpp"

#include <support/sanitized.hpp>

#include <algorithm>
#include <ostream>

namespace rotary::test {
namespace {

using namespace std::chrono_literals;
using Phase = ProviderPhase;
using Trouble = ProviderFault;

// What the provider would have said.
enum class Kind { json, chunked_json, large_json, large_chunked, stream };

enum class Link { plain, tls, wrong_name, unknown_ca, refused };

enum class Outcome {
    refused,   // no byte of an answer went to the client: the next entry, or an error of ours
    cut,       // a piece of the answer, and the client can tell that it is one
    complete,  // the whole answer
};

struct Cell {
    Trouble fault;
    Phase phase;
    Kind kind;
    Link link;
    Outcome outcome;
    const char* code;     // of the error; several are possible: "a|b"
    const char* reasons;  // of the failure, likewise; "": nobody is blamed
    std::size_t offset = 0;
};

constexpr std::size_t kLarge = 100'000;
constexpr const char* kPatience = kSanitized ? "1s" : "300ms";

const char* name_of(Kind kind) {
    constexpr const char* kNames[] = {"Json", "ChunkedJson", "LargeJson", "LargeChunked", "Stream"};
    return kNames[static_cast<std::size_t>(kind)];
}

std::string name_of(const Cell& cell) {
    std::string name;
    if (cell.link == Link::refused) return std::string("Refused") + name_of(cell.kind);
    if (cell.link == Link::wrong_name) return std::string("WrongName") + name_of(cell.kind);
    if (cell.link == Link::unknown_ca) return std::string("UnknownCa") + name_of(cell.kind);
    if (cell.link == Link::tls && cell.fault != Trouble::tls_truncation) name = "Tls";
    name += std::string(to_string(cell.fault)) + "_" + to_string(cell.phase);
    if (cell.phase == Phase::mid_body) name += std::to_string(cell.offset);
    return name + "_" + name_of(cell.kind);
}

ProviderAnswer answer_of(Kind kind) {
    switch (kind) {
        case Kind::json:
            return json_answer();
        case Kind::chunked_json:
            return json_answer(500, true);
        case Kind::large_json:
            return json_answer(kLarge);
        case Kind::large_chunked: {
            ProviderAnswer answer = json_answer(kLarge, true);
            answer.chunk_bytes = 4000;
            return answer;
        }
        case Kind::stream:
            return stream_answer(recorded_stream());
    }
    return {};
}

// Where the third event of the recorded stream has begun.
std::size_t inside_third_event() {
    const std::vector<std::string> events = events_of(recorded_stream());
    return events[0].size() + events[1].size() + 30;
}

class Table {
public:
    std::vector<Cell> cells;

    // Nothing has reached the client.
    void refused(Trouble fault, Phase phase, Kind kind, Link link = Link::plain,
                 std::size_t offset = 0) {
        const bool late = fault == Trouble::stall || fault == Trouble::slow_head;
        add({fault, phase, kind, link, Outcome::refused,
             late ? "upstream_timeout" : "upstream_protocol_error", late ? "timeout" : "protocol",
             offset});
    }
    void add(const Cell& cell) { cells.push_back(cell); }
};

void add_connecting(Table& table, Kind kind) {
    const auto early = [&](Trouble fault, Phase phase, Link link, const char* code,
                           const char* reasons) {
        table.add({fault, phase, kind, link, Outcome::refused, code, reasons});
    };
    early(Trouble::none, Phase::accept, Link::refused, "upstream_connect_failed", "connect");
    early(Trouble::none, Phase::accept, Link::wrong_name, "upstream_tls_failed", "tls");
    early(Trouble::none, Phase::accept, Link::unknown_ca, "upstream_tls_failed", "tls");
    // A reset may come before or behind the first look at the connection.
    early(Trouble::rst, Phase::accept, Link::plain,
          "upstream_connect_failed|upstream_protocol_error", "connect|protocol");
    early(Trouble::rst, Phase::accept, Link::tls, "upstream_connect_failed|upstream_tls_failed",
          "connect|tls");
    for (const Trouble fault : {Trouble::fin, Trouble::stall, Trouble::garbage}) {
        table.refused(fault, Phase::accept, kind);
    }
    early(Trouble::fin, Phase::accept, Link::tls, "upstream_tls_failed", "tls");
    early(Trouble::stall, Phase::accept, Link::tls, "upstream_timeout", "timeout");
    early(Trouble::stall, Phase::tls_handshake, Link::tls, "upstream_timeout", "timeout");
    for (const Trouble fault : {Trouble::fin, Trouble::rst, Trouble::garbage}) {
        early(fault, Phase::tls_handshake, Link::tls, "upstream_tls_failed", "tls");
    }
    // The server's flight is all that a client of TLS 1.3 needs to be through.
    early(Trouble::tls_truncation, Phase::tls_handshake, Link::tls,
          "upstream_tls_failed|upstream_protocol_error", "tls|protocol");
}

void add_before_the_body(Table& table, Kind kind) {
    for (const Phase phase :
         {Phase::request, Phase::before_head, Phase::in_head, Phase::after_head}) {
        for (const Trouble fault : {Trouble::fin, Trouble::rst, Trouble::stall, Trouble::garbage}) {
            // With a length announced there is no framing to be broken.
            const bool framed = phase != Phase::after_head || fault != Trouble::garbage;
            if (framed || kind == Kind::stream) table.refused(fault, phase, kind);
        }
        table.refused(Trouble::fin, phase, kind, Link::tls);
        table.refused(Trouble::tls_truncation, phase, kind, Link::tls);
    }
    table.refused(Trouble::slow_head, Phase::in_head, kind);
}

constexpr Trouble kAll[] = {Trouble::fin, Trouble::rst, Trouble::stall, Trouble::garbage,
                            Trouble::tls_truncation};

Link link_of(Trouble fault) { return fault == Trouble::tls_truncation ? Link::tls : Link::plain; }

void add_in_the_body(Table& table) {
    for (const Trouble fault : kAll) {
        const Link link = link_of(fault);
        table.refused(fault, Phase::before_first_event, Kind::stream, link);
        table.refused(fault, Phase::in_first_event, Kind::stream, link);
        table.add({fault, Phase::mid_body, Kind::stream, link, Outcome::cut, "", "interrupted",
                   inside_third_event()});
        // All of the events have come: nothing is missing that a client could want.
        table.add({fault, Phase::after_done, Kind::stream, link, Outcome::complete, "", ""});

        table.refused(fault, Phase::after_head, Kind::chunked_json, link);
        table.refused(fault, Phase::mid_body, Kind::chunked_json, link, 200);
        table.refused(fault, Phase::after_done, Kind::chunked_json, link);
        table.refused(fault, Phase::mid_body, Kind::large_chunked, link, 20'000);
        table.add({fault, Phase::mid_body, Kind::large_chunked, link, Outcome::cut, "",
                   "interrupted", 60'000});
        if (fault == Trouble::garbage) continue;
        table.refused(fault, Phase::mid_body, Kind::json, link, 200);
        table.refused(fault, Phase::mid_body, Kind::large_json, link, 20'000);
        table.add({fault, Phase::mid_body, Kind::large_json, link, Outcome::cut, "", "interrupted",
                   60'000});
        table.add({fault, Phase::after_done, Kind::json, link, Outcome::complete, "", ""});
    }
    for (const Phase phase : {Phase::before_first_event, Phase::in_first_event}) {
        table.refused(Trouble::fin, phase, Kind::stream, Link::tls);
    }
    table.add({Trouble::fin, Phase::mid_body, Kind::stream, Link::tls, Outcome::cut, "",
               "interrupted", inside_third_event()});
}

std::vector<Cell> all_cells() {
    Table table;
    for (const Kind kind : {Kind::json, Kind::stream}) {
        add_connecting(table, kind);
        add_before_the_body(table, kind);
    }
    add_in_the_body(table);
    return table.cells;
}

bool is_one_of(const std::string& word, std::string_view several) {
    return ("|" + std::string(several) + "|").find("|" + word + "|") != std::string::npos;
}

// One cell's provider, gateway and clients.
class Trial {
public:
    explicit Trial(const Cell& cell) : cell_(cell), faulty_(options_of(cell)) {
        ProviderPlan plan;
        plan.fault = cell.fault;
        plan.phase = cell.phase;
        plan.offset = cell.offset;
        plan.answer = answer_of(cell.kind);
        expected_ = plan.answer->body;
        // Else it would be kept for another request, and stalled for that.
        if (cell.phase == Phase::after_done) plan.answer->headers = {{"connection", "close"}};
        faulty_.set_plan(plan);
        ProviderPlan healthy;
        healthy.answer = plan.answer;
        healthy_.set_plan(healthy);
    }

    void run();

private:
    static FaultyProvider::Options options_of(const Cell& cell) {
        FaultyProvider::Options options;
        const Link link = cell.link;
        options.listens = link != Link::refused;
        if (link == Link::tls) options.tls = &certificates().server;
        if (link == Link::wrong_name) options.tls = &certificates().wrong_host;
        if (link == Link::unknown_ca) options.tls = &certificates().unknown_ca;
        // A request that does not fit into the sockets is still on its way when the fault happens.
        if (cell.phase == Phase::request) options.receive_buffer = 4096;
        return options;
    }

    GatewayOptions gateway_options() const {
        GatewayOptions options;
        options.backends = {faulty_.backend(), healthy_.backend()};
        options.production = {{"a", 0}, {"b", 1}};
        options.sandbox = {{"a", 0}};
        options.process = timeouts();
        return options;
    }

    // Short only where the cell waits for it: whoever is well has time, whatever else the machine
    // does.
    std::string timeouts() const {
        const bool waits = cell_.fault == Trouble::stall || cell_.fault == Trouble::slow_head;
        const bool connecting = cell_.phase <= Phase::tls_handshake && cell_.link == Link::tls;
        std::string text = "timeouts: {log_flush: 20ms";
        const auto add = [&](const char* name, bool is_short) {
            text += std::string(", ") + name + ": " + (waits && is_short ? kPatience : "5s");
        };
        add("connect", connecting);
        add("write_stall", cell_.phase == Phase::request);
        add("first_byte", !connecting && cell_.phase != Phase::request);
        add("event_gap", cell_.phase >= Phase::after_head);
        return text + "}\n";
    }

    Request request() const {
        std::string body = cell_.kind == Kind::stream ? kStreamed : R"({"model":"x"})";
        if (cell_.phase == Phase::request) {
            body.pop_back();
            body += R"(,"padding":")" + std::string(std::size_t{6} << 20, 'x') + "\"}";
        }
        return chat(body);
    }

    void expect_piece(const Response& response) const {
        if (cell_.kind == Kind::stream) {
            expect_interrupted(response, whole_events(expected_, cell_.offset));
            return;
        }
        EXPECT_EQ(response.status, 200U);
        EXPECT_EQ(response.ending, Ending::cut);
        EXPECT_EQ(response.read_end, ReadEnd::fin);
        EXPECT_EQ(response.body, expected_.substr(0, cell_.offset));
    }

    void expect_whole(const Response& response) const {
        EXPECT_EQ(response.status, 200U) << response.body;
        EXPECT_EQ(response.ending, Ending::framed);
        EXPECT_EQ(response.body, expected_);
    }

    void with_another_entry(const Response& response) const {
        const bool moved = cell_.outcome == Outcome::refused;
        EXPECT_EQ(response.header("x-rotary-attempts"), moved ? "2" : "1");
        EXPECT_EQ(response.header("x-rotary-model"), moved ? "b" : "a");
        if (cell_.outcome == Outcome::cut) {
            expect_piece(response);
        } else {
            expect_whole(response);
        }
    }

    void alone(const Response& response) const {
        if (cell_.outcome == Outcome::cut) return expect_piece(response);
        if (cell_.outcome == Outcome::complete) return expect_whole(response);
        const std::string code = json_at(response.body, "error.code");
        EXPECT_TRUE(is_one_of(code, cell_.code)) << response.status << " " << response.body;
        EXPECT_EQ(response.status, code == "upstream_timeout" ? 504U : 502U);
        EXPECT_EQ(json_at(response.body, "error.type"), "upstream_error");
        EXPECT_EQ(response.header("content-type"), "application/json");
        EXPECT_EQ(response.ending, Ending::framed);
    }

    void expect_blame(const Gateway& gateway, const std::string& env) const {
        double listed = 0;
        for (const char* reason : {"connect", "dns", "tls", "timeout", "protocol", "interrupted",
                                   "server_error", "overloaded"}) {
            const double count = failures(gateway, env, reason);
            EXPECT_TRUE(count == 0 || is_one_of(reason, cell_.reasons)) << reason;
            listed += count;
        }
        const double expected = *cell_.reasons == '\0' ? 0 : 1;
        EXPECT_EQ(listed, expected) << env;
        const std::string page = gateway.admin("/metrics");
        EXPECT_EQ(sum_of(page, "rotary_upstream_failures_total", "env=\"" + env + "\""), expected);
        EXPECT_EQ(entry_field(gateway, "a", "state", env), "active");
    }

    const Cell& cell_;
    FaultyProvider faulty_;
    FaultyProvider healthy_;
    std::string expected_;
};

void Trial::run() {
    const Gateway gateway(gateway_options());
    std::vector<TestClient> clients;
    clients.push_back(gateway.connect());
    clients.push_back(gateway.connect());
    std::vector<Response> responses(2);
    const auto begun = Clock::now();
    in_parallel(2, [&](std::size_t i) {
        responses[i] = clients[i].exchange(i == 0 ? request() : sandboxed(request()));
    });
    EXPECT_LT(Clock::now() - begun, 10s);
    {
        SCOPED_TRACE("with another entry");
        with_another_entry(responses[0]);
    }
    {
        SCOPED_TRACE("alone");
        alone(responses[1]);
    }
    const bool moved = cell_.outcome == Outcome::refused;
    EXPECT_EQ(healthy_.request_count(), moved ? 1U : 0U);
    EXPECT_EQ(sum_of(gateway, "rotary_failovers_total"), moved ? 1.0 : 0.0);
    EXPECT_EQ(faulty_.connection_count(), cell_.link == Link::refused ? 0U : 2U);
    EXPECT_EQ(faulty_.request_count(),
              cell_.link <= Link::tls && cell_.phase >= Phase::request ? 2U : 0U);
    EXPECT_TRUE(all_settled(gateway));
    expect_blame(gateway, "production");
    expect_blame(gateway, "sandbox");
    EXPECT_TRUE(faulty_.wait_until_none_is_open(5s));

    // Who was told can go on, on the same connection; and one failure keeps nobody away.
    if (!moved) return;
    ProviderPlan well;
    well.answer = answer_of(cell_.kind);
    faulty_.set_plan(well);
    const Response again = clients[1].exchange(sandboxed(chat()));
    const bool recovers = cell_.link <= Link::tls;
    EXPECT_EQ(again.status, recovers ? 200U : 502U) << again.body;
    EXPECT_EQ(clients[0].exchange(chat()).status, 200U);
}

// Cells that wait for time to pass wait together.
class FaultMatrixTest : public testing::TestWithParam<std::vector<Cell>> {};

TEST_P(FaultMatrixTest, ClientNextEntryAndMetrics) {
    const std::vector<Cell>& cells = GetParam();
    in_parallel(cells.size(), [&](std::size_t i) {
        SCOPED_TRACE(name_of(cells[i]));
        Trial trial(cells[i]);
        trial.run();
    });
}

std::string row_name(const std::vector<Cell>& row) {
    if (row.size() == 1) return name_of(row.front());
    const std::string first = name_of(row.front());
    return first.substr(0, first.find('_', first.find('_') + 1)) + "_All";
}

void PrintTo(const std::vector<Cell>& row, std::ostream* out) { *out << row_name(row); }

std::vector<std::vector<Cell>> all_rows() {
    std::vector<std::vector<Cell>> rows;
    for (const Cell& cell : all_cells()) {
        const bool waits = cell.fault == Trouble::stall || cell.fault == Trouble::slow_head;
        const auto together = std::find_if(rows.begin(), rows.end(), [&](const auto& row) {
            return waits && row.front().fault == cell.fault && row.front().phase == cell.phase &&
                   row.front().link == cell.link;
        });
        if (together != rows.end()) {
            together->push_back(cell);
        } else {
            rows.push_back({cell});
        }
    }
    return rows;
}

INSTANTIATE_TEST_SUITE_P(All, FaultMatrixTest, testing::ValuesIn(all_rows()),
                         [](const auto& test) { return row_name(test.param); });

}  // namespace
}  // namespace rotary::test
