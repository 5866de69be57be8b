#include <rotary/config/yaml/node.hpp>

#include <yaml-cpp/anchor.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <optional>
#include <sstream>

#include "config/yaml/utf8.hpp"

namespace rotary::config {
namespace {

// Thrown out of the parser, caught below: the rest of the document is not worth reading.
struct Stop {};

constexpr std::size_t kMaxSyntaxFindings = 100;  // of one document

// Turns the events of one document into a tree. Events, not YAML::Node: only they show anchors,
// and a tree that shares or repeats nothing can be walked without care.
class TreeBuilder : public YAML::EventHandler {
public:
    TreeBuilder(const std::string& file, int lines_before, std::vector<Finding>& findings)
        : file_(file), lines_before_(lines_before), findings_(findings) {}

    std::optional<Node> root;

    int start = -1;  // of the document, as the parser counts

    void OnDocumentStart(const YAML::Mark& mark) override { start = mark.pos; }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        add(node(Node::Kind::null, mark, anchor));
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        report(mark, "aliases are not accepted; write the value out");
        add(node(Node::Kind::broken, mark, 0));
    }

    void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  const std::string& value) override {
        Node scalar = node(Node::Kind::scalar, mark, anchor);
        scalar.text = value;
        add(std::move(scalar));
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(node(Node::Kind::list, mark, anchor));
    }
    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(node(Node::Kind::map, mark, anchor));
    }
    void OnMapEnd() override { close(); }

private:
    // A list or mapping that is still open, and the key that waits for its value.
    struct Frame {
        Node node;
        std::optional<Member> key;
        bool drop_value = false;
    };

    Node node(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (anchor != 0) {
            report(mark, "anchors are not accepted; write the value out where it is used");
        }
        if (++nodes_ > kMaxNodes) {
            report(mark, "more than " + std::to_string(kMaxNodes) + " values in one document");
            throw Stop{};
        }
        Node made;
        made.kind = kind;
        made.line = mark.line + 1 + lines_before_;
        made.column = mark.column + 1;
        return made;
    }

    void open(Node made) {
        if (frames_.size() >= kMaxDepth) {
            findings_.push_back(
                error_at({file_, made.line, made.column, ""},
                         "nested deeper than " + std::to_string(kMaxDepth) + " levels"));
            throw Stop{};
        }
        frames_.push_back({std::move(made), std::nullopt});
    }

    void close() {
        Node made = std::move(frames_.back().node);
        frames_.pop_back();
        add(std::move(made));
    }

    void add(Node made) {
        if (frames_.empty()) {
            root = std::move(made);
            return;
        }
        Frame& frame = frames_.back();
        if (frame.node.kind == Node::Kind::list) {
            frame.node.items.push_back(std::move(made));
        } else if (!frame.key) {
            take_key(frame, std::move(made));
        } else {
            if (made.kind == Node::Kind::null) {
                // The parser puts an empty value where the next thing begins.
                made.line = frame.key->line;
                made.column = frame.key->column;
            }
            frame.key->value = std::move(made);
            if (!frame.drop_value) {
                frame.node.members.push_back(std::move(*frame.key));
            }
            frame.key.reset();
        }
    }

    void take_key(Frame& frame, Node made) {
        frame.drop_value = true;
        frame.key = Member{made.text, made.line, made.column, {}};
        const Mark mark{file_, made.line, made.column, path(false)};
        if (made.kind != Node::Kind::scalar) {
            report(mark, "a key must be plain text");
        } else if (const Member* first = find_member(frame.node, made.text)) {
            report({file_, made.line, made.column, key_path(made.text)},
                   "is there twice; the first is on line " + std::to_string(first->line) +
                       (frames_.size() == 1 && (made.text == "apiVersion" || made.text == "kind")
                            ? "; a line `---` is missing between two objects"
                            : ""));
        } else {
            frame.drop_value = false;
        }
    }

    static const Member* find_member(const Node& map, std::string_view key) {
        for (const Member& member : map.members) {
            if (member.key == key) {
                return &member;
            }
        }
        return nullptr;
    }

    // Of what is being read: the value of the innermost key, or a key beside it.
    std::string path(bool of_value) const {
        std::string text;
        for (const Frame& frame : frames_) {
            if (frame.node.kind == Node::Kind::list) {
                text += '[' + std::to_string(frame.node.items.size()) + ']';
            } else if (frame.key && (of_value || &frame != &frames_.back())) {
                text += (text.empty() ? "" : ".") + frame.key->key;
            }
        }
        return text;
    }

    std::string key_path(const std::string& key) const {
        const std::string above = path(false);
        return above.empty() ? key : above + '.' + key;
    }

    void report(const Mark& mark, std::string message) {
        findings_.push_back(error_at(mark, std::move(message)));
        if (++reported_ >= kMaxSyntaxFindings) {
            throw Stop{};
        }
    }

    void report(const YAML::Mark& mark, std::string message) {
        report(Mark{file_, mark.line + 1 + lines_before_, mark.column + 1, path(true)},
               std::move(message));
    }

    const std::string& file_;
    int lines_before_;
    std::vector<Finding>& findings_;
    std::vector<Frame> frames_;
    std::size_t nodes_ = 0;
    std::size_t reported_ = 0;
};

// A piece of the text from one `---` to the next. Cutting there first (YAML 1.2, 9.1.2: the
// marker at the start of a line ends whatever comes before it) keeps one broken document from
// hiding those behind it.
struct Piece {
    std::string text;
    int lines_before = 0;
};

bool is_document_start(std::string_view line) {
    return line.starts_with("---") &&
           (line.size() == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r');
}

std::vector<Piece> cut(std::string_view text) {
    std::vector<Piece> pieces(1);
    int line_number = 0;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        if (is_document_start(line)) {
            pieces.push_back({"", line_number});
        }
        pieces.back().text.append(line).push_back('\n');
        ++line_number;
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return pieces;
}

// yaml-cpp takes a quotation that never ends for complete; the marker behind each piece makes it
// fail instead, with words that need a translation.
std::string message_of(const YAML::Exception& error) {
    if (error.msg == YAML::ErrorMsg::DOC_IN_SCALAR || error.msg == YAML::ErrorMsg::EOF_IN_SCALAR) {
        return "YAML: a quotation is not closed";
    }
    return "YAML: " + error.msg;
}

bool has_tab_indent(std::string_view line) {
    const std::size_t first = line.find_first_not_of(" \t");
    return line.substr(0, first).find('\t') != std::string_view::npos;
}

// What to do about a mistake, from the line it was found on and the one before.
std::string remedy_for(const YAML::Exception& error, std::string_view text) {
    std::string_view before;
    std::string_view line;
    for (int i = 0; i <= error.mark.line && !text.empty(); ++i) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        before = line;
        line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (has_tab_indent(line) || has_tab_indent(before)) {
        return "; YAML takes no tabs before a key: indent with spaces";
    }
    if (error.msg == YAML::ErrorMsg::END_OF_MAP || error.msg == YAML::ErrorMsg::END_OF_SEQ ||
        error.msg == YAML::ErrorMsg::MAP_KEY || error.msg == YAML::ErrorMsg::BLOCK_ENTRY) {
        return "; keys and items of one level begin in the same column: check the indentation "
               "here and on the line before";
    }
    if (error.msg == YAML::ErrorMsg::MAP_VALUE) {
        return "; a value that holds \": \" needs quotes, and keys of one level begin in the same "
               "column";
    }
    if (error.msg == YAML::ErrorMsg::END_OF_MAP_FLOW ||
        error.msg == YAML::ErrorMsg::END_OF_SEQ_FLOW) {
        return "; a bracket or a comma is missing before this place";
    }
    return "";
}

// False when the piece could not be read to its end.
bool parse_piece(const std::string& file, const Piece& piece, std::vector<Finding>& findings,
                 std::vector<Document>& documents) {
    std::istringstream input(piece.text + "...\n");
    try {
        YAML::Parser parser(input);
        for (int last_start = -1;;) {
            TreeBuilder builder(file, piece.lines_before, findings);
            if (!parser.HandleNextDocument(builder)) {
                return true;
            }
            // yaml-cpp hands out empty documents for ever before a stray comma.
            if (builder.start == last_start && builder.root) {
                findings.push_back(error_at({file, builder.root->line, builder.root->column, ""},
                                            "YAML: this does not belong here"));
                return false;
            }
            last_start = builder.start;
            if (builder.root && builder.root->kind != Node::Kind::null) {
                documents.push_back({std::move(*builder.root)});
            }
        }
    } catch (const Stop&) {
        return false;
    } catch (const YAML::Exception& error) {
        const bool known = !error.mark.is_null();
        findings.push_back(
            error_at({file, known ? error.mark.line + 1 + piece.lines_before : 0,
                      known ? error.mark.column + 1 : 0, ""},
                     message_of(error) + (known ? remedy_for(error, piece.text) : "")));
        return false;
    } catch (const std::exception& error) {
        findings.push_back(
            error_at({file, piece.lines_before + 1, 1, ""}, std::string("YAML: ") + error.what()));
        return false;
    }
}

// YAML directives stand before the `---` of their document; no file here needs them, and cutting
// would tear them off.
bool has_content(std::string_view text) {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
        if (!line.empty() && line[0] != '#' && line[0] != '%') {
            return true;
        }
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return false;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
    for (const Member& member : members) {
        if (member.key == key) {
            return &member.value;
        }
    }
    return nullptr;
}

std::vector<Document> parse_yaml(const std::string& file, std::string_view text,
                                 std::vector<Finding>& findings, std::string& unread) {
    std::vector<Document> documents;
    if (const std::optional<BadText> bad = find_bad_text(text)) {
        findings.push_back(error_at({file, bad->line, bad->column, ""}, bad->message));
        unread += text;
        return documents;
    }
    for (const Piece& piece : cut(text)) {
        if (has_content(piece.text) && !parse_piece(file, piece, findings, documents)) {
            unread += piece.text;
        }
    }
    return documents;
}

}  // namespace rotary::config
