#pragma once

#include "gateway_fixture.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

// What the sources of an operator tell of the requests of a gateway, read so that it can be
// compared.
namespace rotary::test {

// What is known of some requests: of one entry, one consumer, or all.
struct Sum {
    std::uint64_t requests = 0;
    std::uint64_t input = 0;
    std::uint64_t output = 0;
    std::uint64_t nanos = 0;
    friend bool operator==(const Sum&, const Sum&) = default;
    Sum& operator+=(const Sum& other) {
        requests += other.requests;
        input += other.input;
        output += other.output;
        nanos += other.nanos;
        return *this;
    }
    friend std::ostream& operator<<(std::ostream& out, const Sum& sum) {
        return out << sum.requests << " requests, " << sum.input << " in, " << sum.output
                   << " out, " << sum.nanos << " nanos";
    }
};
using Sums = std::map<std::string, Sum>;
using ByStatus = std::map<unsigned, std::size_t>;

inline std::uint64_t number_of(const std::string& json, const std::string& path) {
    const std::string text = json_at(json, path);
    return text.empty() || text[0] == '<' || text == "null" ? 0 : std::stoull(text);
}

// What one source tells.
struct Told {
    ByStatus statuses;      // of requests
    Counts tries;           // by "model@backend"
    Sums entries;           // of answers, by the entry that gave them
    Sums consumers;         // all their requests
    std::size_t moved = 0;  // tries that another followed
};

// The lines of the log. Names have points in them, so they are not looked up by path.
inline std::string text_at(const std::string& line, const std::string& key) {
    const std::string name = "\"" + key + "\":";
    std::size_t begin = line.find(name);
    if (begin == line.npos) return {};
    begin += name.size();
    if (line[begin] != '"') return line.substr(begin, line.find_first_of(",}", begin) - begin);
    return line.substr(begin + 1, line.find('"', begin + 1) - begin - 1);
}

inline std::uint64_t count_at(const std::string& line, const std::string& key) {
    const std::string text = text_at(line, key);
    return text.empty() ? 0 : std::stoull(text);
}

inline Told of_log(const std::string& log) {
    Told told;
    std::istringstream lines(log);
    for (std::string line; std::getline(lines, line);) {
        ++told.statuses[unsigned(count_at(line, "response_code"))];
        const Sum sum{1, count_at(line, "input_tokens"), count_at(line, "output_tokens"),
                      count_at(line, "cost_nd")};
        if (const std::string name = text_at(line, "consumer"); !name.empty()) {
            told.consumers[name] += sum;
        }
        if (sum.input + sum.output == 0) continue;
        told.entries[text_at(line, "gen_ai.request.model") + "@" + text_at(line, "backend")] += sum;
    }
    return told;
}

// Each on its own: to look for one in all of them costs a reading of all.
inline std::vector<std::string> records_of(const std::string& json) {
    std::vector<std::string> records;
    const std::string begin = "{\"time\":";
    for (std::size_t at = json.find(begin); at != json.npos;) {
        const std::size_t next = json.find(begin, at + 1);
        const std::size_t end = json.rfind('}', next == json.npos ? json.rfind(']') : next);
        records.push_back(json.substr(at, end + 1 - at));
        at = next;
    }
    return records;
}

inline Told of_requests(const std::string& json) {
    Told told;
    for (const std::string& one : records_of(json)) {
        ++told.statuses[unsigned(number_of(one, "status"))];
        const Sum sum{1, number_of(one, "input_tokens"), number_of(one, "output_tokens"),
                      number_of(one, "cost_nd")};
        if (const std::string name = json_at(one, "consumer"); name[0] != '<') {
            told.consumers[name] += sum;
        }
        if (sum.input + sum.output != 0) {
            told.entries[json_at(one, "model") + "@" + json_at(one, "backend")] += sum;
        }
        for (std::size_t n = 0; n < json_size(one, "tries"); ++n) {
            const std::string at = "tries." + std::to_string(n) + ".";
            ++told.tries[json_at(one, at + "model") + "@" + json_at(one, at + "backend")];
            told.moved += json_at(one, at + "failed_over") == "true" ? 1U : 0U;
        }
    }
    return told;
}

inline Sums consumers_of(const std::string& json) {
    Sums sums;
    for (std::size_t i = 0; i < json_size(json, "consumers"); ++i) {
        const std::string at = "consumers." + std::to_string(i) + ".";
        sums[json_at(json, at + "consumer")] = {
            number_of(json, at + "requests"), number_of(json, at + "input_tokens"),
            number_of(json, at + "output_tokens"), number_of(json, at + "cost_nd")};
    }
    return sums;
}

inline Sums consumers_of_metrics(const std::string& page, const Sums& known) {
    Sums sums;
    for (const auto& [name, unused] : known) {
        const std::string with = "consumer=\"" + name + "\"";
        const auto sum = [&](const char* series, const std::string& more = "") {
            return static_cast<std::uint64_t>(sum_of(page, series, with + more));
        };
        sums[name] = {sum("rotary_consumer_requests_total"),
                      sum("rotary_consumer_tokens_total", ",type=\"input\""),
                      sum("rotary_consumer_tokens_total", ",type=\"output\""),
                      sum("rotary_consumer_cost_nanodollars_total")};
    }
    return sums;
}

inline Sums entries_of_metrics(const std::string& page, const Sums& known) {
    Sums sums;
    for (const auto& [entry, sum] : known) {
        const std::size_t at = entry.find('@');
        const std::string with =
            "model=\"" + entry.substr(0, at) + "\",backend=\"" + entry.substr(at + 1) + "\"";
        const auto of = [&](const char* series, const std::string& more = "") {
            return static_cast<std::uint64_t>(sum_of(page, series, with + more));
        };
        sums[entry] = {sum.requests, of("rotary_tokens_total", ",type=\"input\""),
                       of("rotary_tokens_total", ",type=\"output\""),
                       of("rotary_cost_nanodollars_total")};
    }
    return sums;
}

// Of models as the API and the terminal show them.
inline Counts picks_of(const std::string& json, const std::string& root) {
    Counts picks;
    for (std::size_t i = 0; i < json_size(json, root); ++i) {
        const std::string at = root + "." + std::to_string(i) + ".";
        picks[json_at(json, at + "model") + "@" + json_at(json, at + "backend")] +=
            number_of(json, at + "requests");
    }
    return picks;
}

// Of the page as it comes, without its script.
inline std::size_t picks_on_page(const std::string& html, const std::string& model) {
    const std::size_t row = html.find("data-label=\"Model\" class=\"name\">" + model + "<");
    const std::string cell = "data-label=\"Requests\" class=\"number\">";
    const std::size_t begin = html.find(cell, row);
    if (row == html.npos || begin == html.npos) return 0;
    return std::stoul(html.substr(begin + cell.size(), 20));
}

}  // namespace rotary::test
