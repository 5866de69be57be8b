#include <rotary/app/commands.hpp>
#include <rotary/cli/command.hpp>
#include <rotary/cli/command_tree.hpp>

#include <cstdio>
#include <memory>
#include <string>

// Shell completion and the manual page, both from the tree of commands that parses the line.
namespace rotary::app {

namespace {

using cli::CommandNode;
using cli::OptionNode;

std::string words_of(const CommandNode& node) {
    std::string words;
    const auto add = [&](const std::string& word) { words += (words.empty() ? "" : " ") + word; };
    for (const CommandNode& command : node.commands) add(command.name);
    for (const OptionNode& option : node.options) {
        for (const std::string& name : option.names) add(name);
    }
    return words;
}

std::string joined(const std::vector<std::string>& items) {
    std::string all;
    for (const std::string& item : items) all += (all.empty() ? "" : " ") + item;
    return all;
}

// Of every command, by its whole name, a row of a case: what may follow, and what its options take.
void add_cases(const CommandNode& node, const std::string& path, std::string& words,
               std::string& values) {
    words += "        \"" + path + "\") words=\"" + words_of(node) + "\" ;;\n";
    for (const OptionNode& option : node.options) {
        if (!option.takes_value) continue;
        for (const std::string& name : option.names) {
            values += "        \"" + path + " " + name + "\") values=\"" + joined(option.choices) +
                      "\"; takes=1 ;;\n";
        }
    }
    for (const CommandNode& command : node.commands) {
        add_cases(command, path + " " + command.name, words, values);
    }
}

void add_commands(const CommandNode& node, std::string& names) {
    for (const CommandNode& command : node.commands) {
        names += " " + command.name;
        add_commands(command, names);
    }
}

// What a value of no known choice is: most often a file.
constexpr const char* kBash = R"(# bash completion of rotary: source <(rotary completion bash)
_rotary() {
    local current="${COMP_WORDS[COMP_CWORD]}" path="rotary" words="" values="" takes="" word i
    for ((i = 1; i < COMP_CWORD; ++i)); do
        word="${COMP_WORDS[i]}"
        case " $_rotary_commands " in
        *" $word "*) _rotary_words "$path $word" && path="$path $word" ;;
        esac
    done
    words=""
    _rotary_values "$path ${COMP_WORDS[COMP_CWORD-1]}"
    if [[ -n $takes && -n $values ]]; then
        COMPREPLY=($(compgen -W "$values" -- "$current"))
    elif [[ -n $takes ]]; then
        COMPREPLY=($(compgen -f -- "$current"))
    else
        _rotary_words "$path"
        COMPREPLY=($(compgen -W "$words" -- "$current"))
    fi
}
)";

std::string bash(const CommandNode& root) {
    std::string words;
    std::string values;
    std::string names;
    add_cases(root, root.name, words, values);
    add_commands(root, names);
    std::string text = kBash;
    text += "_rotary_commands=\"" + names.substr(1) + "\"\n";
    text +=
        "_rotary_words() {\n    case \"$1\" in\n" + words + "        *) return 1 ;;\n    esac\n}\n";
    text += "_rotary_values() {\n    case \"$1\" in\n" + values +
            "        *) return 1 ;;\n    esac\n}\n";
    return text + "complete -o filenames -F _rotary rotary\n";
}

std::string zsh(const CommandNode& root) {
    return "#compdef rotary\nautoload -U +X bashcompinit && bashcompinit\n" + bash(root);
}

// In single quotes a shell reads all but these as they are.
std::string in_quotes(std::string_view text) {
    std::string out = "'";
    for (const char c : text.substr(0, text.find('\n'))) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + "'";
}

void add_fish(const CommandNode& node, const std::string& condition, std::string& out) {
    const std::string start = "complete -c rotary -n " + condition;
    for (const CommandNode& command : node.commands) {
        out += start + " -f -a " + command.name + " -d " + in_quotes(command.about) + "\n";
    }
    for (const OptionNode& option : node.options) {
        out += start;
        for (const std::string& name : option.names) {
            const bool is_long = name.starts_with("--");
            out += (is_long ? " -l " : " -s ") + name.substr(is_long ? 2 : 1);
        }
        if (option.takes_value) out += " -r";
        if (!option.choices.empty()) out += " -f -a " + in_quotes(joined(option.choices));
        out += " -d " + in_quotes(option.about) + "\n";
    }
    for (const CommandNode& command : node.commands) {
        add_fish(command, "'__fish_seen_subcommand_from " + command.name + "'", out);
    }
}

std::string fish(const CommandNode& root) {
    std::string out = "# fish completion of rotary: rotary completion fish | source\n";
    add_fish(root, "__fish_use_subcommand", out);
    return out;
}

// --- the manual page ----------------------------------------------------------------------------

std::string in_roff(std::string_view text) {
    std::string out;
    bool is_first = true;  // on its line, where '.' and '\'' begin a request
    for (const char c : text) {
        if (is_first && (c == '.' || c == '\'')) out += "\\&";
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else {
            out += c;
        }
        is_first = c == '\n';
    }
    return out;
}

void add_options(const CommandNode& node, std::string& out) {
    for (const OptionNode& option : node.options) {
        out += ".TP\n\\fB";
        for (std::size_t i = 0; i < option.names.size(); ++i) {
            out += (i == 0 ? "" : "\\fR, \\fB") + in_roff(option.names[i]);
        }
        out += "\\fR";
        if (option.takes_value) out += " \\fI" + in_roff(option.value) + "\\fR";
        out += "\n" + in_roff(option.about) + "\n";
    }
}

void add_sections(const CommandNode& node, const std::string& path, std::string& out) {
    for (const CommandNode& command : node.commands) {
        const std::string name = path + " " + command.name;
        out += ".SS " + in_roff(name) + "\n" + in_roff(command.about) + "\n";
        add_options(command, out);
        if (!command.notes.empty()) out += ".PP\n.nf\n" + in_roff(command.notes) + "\n.fi\n";
        add_sections(command, name, out);
    }
}

std::string manual(const CommandNode& root) {
    std::string out = ".TH ROTARY 1 \"\" \"rotary\" \"User Commands\"\n.SH NAME\n";
    out += "rotary \\- reverse proxy for LLM APIs\n.SH SYNOPSIS\n";
    out += "\\fBrotary\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n.SH DESCRIPTION\n";
    out += in_roff(root.about) + "\n.SH OPTIONS\n";
    add_options(root, out);
    out += ".SH COMMANDS\n";
    add_sections(root, root.name, out);
    out +=
        ".SH EXIT STATUS\n0 done; 1 the configuration or the answer is bad; 2 bad usage; 3 it "
        "could not run.\n";
    return out + ".SH NOTES\n.nf\n" + in_roff(root.notes) + "\n.fi\n";
}

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

}  // namespace

void add_completion_command(cli::Command& root) {
    auto shell = std::make_shared<std::string>();
    cli::Command command =
        root.command("completion", "Prints completion for a shell, or the manual page");
    command.option("shell", *shell, "bash, zsh, fish; man: the manual page, for man -l -")
        .required()
        .one_of({"bash", "zsh", "fish", "man"});
    command.notes(
        "  source <(rotary completion bash)\n"
        "  rotary completion zsh > \"${fpath[1]}/_rotary\"\n"
        "  rotary completion fish | source\n"
        "  rotary completion man | man -l -");
    command.runs([shell, root] {
        const CommandNode tree = root.tree();
        if (*shell == "man") {
            print(manual(tree));
        } else if (*shell == "fish") {
            print(fish(tree));
        } else {
            print(*shell == "zsh" ? zsh(tree) : bash(tree));
        }
        return 0;
    });
}

}  // namespace rotary::app
