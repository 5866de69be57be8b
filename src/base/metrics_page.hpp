#pragma once

#include <rotary/base/metrics.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace rotary::metrics {

// `a="x",b="y"`, values escaped. Empty for no labels.
std::string render_labels(const Labels& labels);

// Shortest text that reads back the same; +Inf, -Inf and NaN as Prometheus spells them.
void append_real(std::string& out, double value);

// One line; `labels` rendered.
void append_sample(std::string& out, std::string_view name, std::string_view labels,
                   std::uint64_t value);
void append_sample(std::string& out, std::string_view name, std::string_view labels,
                   std::int64_t value);
void append_sample(std::string& out, std::string_view name, std::string_view labels, double value);

// The end of a bucket's line: " # {trace_id="…"} 0.0042 1700000000.123".
void append_exemplar(std::string& out, const Exemplar& exemplar);

// The page of one scrape. One thread.
class Page final : public Exposition {
public:
    explicit Page(Format format = Format::text) noexcept : format_(format) {}
    Format format() const noexcept { return format_; }
    void add(const Sample& sample) override;
    // The lines of a family, to append to. The first to name it says its type and help.
    std::string& family(Type type, std::string_view name, std::string_view help);
    std::string text() const;  // families without a sample are left out

private:
    struct Family {
        std::string head;
        std::string samples;
    };
    std::string head_of(Type type, std::string_view name, std::string_view help) const;

    Format format_;
    std::map<std::string, Family, std::less<>> families_;
};

}  // namespace rotary::metrics
