#include "kubernetes/judged.hpp"

#include "kubernetes/kinds.hpp"

#include <map>
#include <string_view>

namespace rotary::kubernetes {
namespace {

using Findings = std::map<std::string_view, std::vector<config::Finding>>;

// By object. What was wrong with a held one comes first; of what is in force the warnings.
Findings by_object(const Settled& settled) {
    Findings findings;
    for (const config::Finding& finding : settled.findings) {
        findings[finding.file].push_back(finding);
    }
    for (const config::Finding& finding : settled.loaded.findings) {
        if (finding.severity == config::Severity::warning) {
            findings[finding.file].push_back(finding);
        }
    }
    return findings;
}

// As object_text() begins: {"apiVersion":"dp.wso2.com/v1alpha3","kind":...
std::string_view api_version_of(std::string_view text) {
    constexpr std::string_view kHead = "{\"apiVersion\":\"";
    if (!text.starts_with(kHead)) {
        return {};
    }
    text.remove_prefix(kHead.size());
    return text.substr(0, text.find('"'));
}

Regarded regarded(std::string_view name, const KnownObject& known) {
    const std::size_t space = name.find(' ');
    const std::size_t slash = name.find('/', space);
    return {std::string(api_version_of(known.text)), std::string(name.substr(0, space)),
            std::string(name.substr(space + 1, slash - space - 1)),
            std::string(name.substr(slash + 1)), known.uid};
}

Verdict::Outcome outcome_of(const std::string& name, const Settled& settled) {
    if (!settled.held.contains(name)) {
        return Verdict::Outcome::live;
    }
    return settled.chosen.contains(name) ? Verdict::Outcome::held : Verdict::Outcome::left_out;
}

}  // namespace

bool has_status(const Judged& judged) {
    return judged.object.kind == "API" || judged.object.kind == "HTTPRoute";
}

std::vector<Judged> judge(const ObjectMap& now, const Settled& settled) {
    const Findings findings = by_object(settled);
    std::vector<Judged> all;
    for (const auto& [name, known] : now) {
        Judged one;
        one.object = regarded(name, *known);
        const auto found = findings.find(name);
        if (found == findings.end() && !has_status(one)) {
            continue;
        }
        one.target = object_target(one.object.api_version, one.object.kind, one.object.name_space,
                                   one.object.name);
        one.text = std::shared_ptr<const std::string>(known, &known->text);
        one.verdict.outcome = outcome_of(name, settled);
        if (found != findings.end()) {
            one.verdict.findings = found->second;
        }
        all.push_back(std::move(one));
    }
    return all;
}

}  // namespace rotary::kubernetes
