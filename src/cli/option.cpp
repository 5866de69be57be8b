#include <rotary/cli/option.hpp>

#include <CLI/CLI.hpp>

namespace rotary::cli {

Option& Option::required() {
    option_->required();
    return *this;
}

Option& Option::takes(const std::string& name) {
    option_->type_name(name);
    return *this;
}

Option& Option::shows_default() {
    option_->capture_default_str();
    return *this;
}

Option& Option::repeatable() {
    option_->allow_extra_args(false);
    return *this;
}

Option& Option::one_of(const std::vector<std::string>& values) {
    option_->check(CLI::IsMember(values));
    return *this;
}

Option& Option::between(std::int64_t least, std::int64_t most) {
    option_->check(CLI::Range(least, most));
    return *this;
}

Option& Option::existing_files(int count) {
    option_->expected(count)->delimiter(',')->check(CLI::ExistingFile);
    return *this;
}

Option& Option::needs(Option other) {
    option_->needs(other.option_);
    return *this;
}

Option& Option::excludes(Option other) {
    option_->excludes(other.option_);
    return *this;
}

bool Option::was_typed() const { return option_->count() > 0; }

}  // namespace rotary::cli
