#pragma once

#include <rotary/base/metrics.hpp>

#include <map>
#include <string>
#include <string_view>

namespace rotary::test {

// What one source of samples says at a scrape, by series: "name{label=value,…}".
class Sampled : public metrics::Exposition {
public:
    void add(const Sample& sample) override {
        std::string series(sample.name);
        for (const metrics::Label& label : sample.labels) {
            series.append(series.size() == sample.name.size() ? "{" : ",");
            series.append(label.name).append("=").append(label.value);
        }
        if (!sample.labels.empty()) series.append("}");
        all_[series] = sample.value;
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
