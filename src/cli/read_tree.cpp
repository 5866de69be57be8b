#include "cli/read_tree.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace rotary::cli {

namespace {

// CLI11 writes the members of a set into the name of the type: "TEXT:{json,text}".
std::vector<std::string> choices_in(const std::string& type) {
    std::vector<std::string> choices;
    const std::size_t begin = type.find(":{");
    const std::size_t end = type.rfind('}');
    if (begin == type.npos || end == type.npos) return choices;
    std::string one;
    for (const char c : type.substr(begin + 2, end - begin - 2) + ",") {
        if (c != ',') {
            one += c;
            continue;
        }
        choices.push_back(one);
        one.clear();
    }
    return choices;
}

OptionNode node_of(const CLI::Option& option) {
    OptionNode node;
    for (const std::string& name : option.get_snames()) node.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) node.names.push_back("--" + name);
    node.about = option.get_description();
    node.takes_value = option.get_items_expected_max() > 0 && option.get_type_size_max() > 0;
    const std::string type = option.get_type_name();
    node.choices = choices_in(type);
    node.value = type.substr(0, type.find(':'));
    return node;
}

}  // namespace

CommandNode read_tree(const CLI::App& app) {
    CommandNode node;
    node.name = app.get_name();
    node.about = app.get_description();
    node.notes = app.get_footer();
    for (const CLI::Option* option : app.get_options()) {
        if (!option->get_positional()) node.options.push_back(node_of(*option));
    }
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        node.commands.push_back(read_tree(*command));
    }
    return node;
}

}  // namespace rotary::cli
