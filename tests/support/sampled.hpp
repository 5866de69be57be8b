#pragma once

#include <rotary/base/metrics.hpp>

#include <map>
#include <string>
#include <string_view>

namespace rotary::test {

// What one source of samples says at a scrape, by series: "name{label=value,…}".
class Sampled : public metrics::Exposition {
public:
    void sample(metrics::Type /*type*/, std::string_view name, std::string_view /*help*/,
                const metrics::Labels& labels, double value) override {
        std::string series(name);
        for (const metrics::Label& label : labels) {
            series.append(series.size() == name.size() ? "{" : ",");
            series.append(label.name).append("=").append(label.value);
        }
        if (!labels.empty()) series.append("}");
        all_[series] = value;
    }
    double value(const std::string& series) const {
        const auto found = all_.find(series);
        return found == all_.end() ? -1 : found->second;  // -1: it was not said
    }
    const std::map<std::string, double>& all() const { return all_; }

private:
    std::map<std::string, double> all_;
};

}  // namespace rotary::test
