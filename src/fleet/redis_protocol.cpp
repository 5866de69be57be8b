#include "fleet/redis_protocol.hpp"

#include <hiredis/hiredis.h>

#include <deque>
#include <new>
#include <utility>
#include <vector>

namespace rotary::fleet {

namespace {

// The functions that hiredis calls for what it reads. Each returns where the node stands, a Reply
// of the tree under way, or nothing, which ends the reading.
struct Tree {
    Reply root;
    std::size_t nodes = 0;
    const char* refused = nullptr;
};

// An array's elements have their places from its head on, so none moves.
Reply* place_of(const redisReadTask& task, Tree& tree) {
    if (task.parent == nullptr) {
        tree.root = Reply{};
        tree.nodes = 0;
        return &tree.root;
    }
    auto* const parent = static_cast<Reply*>(task.parent->obj);
    return &parent->elements[static_cast<std::size_t>(task.idx)];
}

Tree& tree_of(const redisReadTask& task) { return *static_cast<Tree*>(task.privdata); }

void* refuse(Tree& tree, const char* why) {
    tree.refused = why;
    return nullptr;
}

void* make_text(const redisReadTask* task, char* bytes, std::size_t size) {
    Tree& tree = tree_of(*task);
    const bool is_bulk = task->type == REDIS_REPLY_STRING;
    if (is_bulk && size > kMostBulkBytes) return refuse(tree, "a string of more than 1 MiB");
    if (!is_bulk && size > kMostLineBytes) return refuse(tree, "a line of more than 64 KiB");
    Reply* const reply = place_of(*task, tree);
    reply->kind = task->type == REDIS_REPLY_ERROR ? Reply::Kind::error : Reply::Kind::text;
    reply->text.assign(bytes, size);
    return reply;
}

void* make_array(const redisReadTask* task, int elements) {
    Tree& tree = tree_of(*task);
    Reply* const reply = place_of(*task, tree);
    tree.nodes += static_cast<std::size_t>(elements);
    if (tree.nodes > kMostNodes) return refuse(tree, "a reply of more than 65536 elements");
    reply->kind = Reply::Kind::array;
    reply->elements.resize(static_cast<std::size_t>(elements));
    return reply;
}

void* make_integer(const redisReadTask* task, long long value) {
    Reply* const reply = place_of(*task, tree_of(*task));
    reply->kind = Reply::Kind::integer;
    reply->integer = value;
    return reply;
}

void* make_nil(const redisReadTask* task) {
    Reply* const reply = place_of(*task, tree_of(*task));
    reply->kind = Reply::Kind::nil;
    return reply;
}

void keep(void*) {}  // the tree is the reader's

redisReplyObjectFunctions functions = {make_text, make_array, make_integer, make_nil, keep};

struct FreeReader {
    void operator()(redisReader* reader) const noexcept { redisReaderFree(reader); }
};

}  // namespace

std::string format_command(std::span<const std::string> words) {
    std::vector<const char*> starts;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
        starts.push_back(word.data());
        sizes.push_back(word.size());
    }
    char* text = nullptr;
    const int size =
        redisFormatCommandArgv(&text, static_cast<int>(words.size()), starts.data(), sizes.data());
    if (size < 0) throw std::bad_alloc();
    std::string command(text, static_cast<std::size_t>(size));
    redisFreeCommand(text);
    return command;
}

struct ReplyReader::State {
    State() : reader(redisReaderCreateWithFunctions(&functions)) {
        if (!reader) throw std::bad_alloc();
        reader->privdata = &tree;
        reader->maxbuf = kMostBulkBytes;
    }

    void fail(const char* why) {
        if (error.empty()) error = why;
    }

    // What is read in parts waits in the reader's buffer, as long as it is.
    bool is_within_bounds() const {
        const bool is_bulk =
            reader->ridx >= 0 && reader->rstack[reader->ridx].type == REDIS_REPLY_STRING;
        const std::size_t most = is_bulk ? kMostBulkBytes + kMostLineBytes : kMostLineBytes;
        return reader->len - reader->pos <= most;
    }

    Tree tree;
    std::unique_ptr<redisReader, FreeReader> reader;
    std::deque<Reply> replies;
    std::string error;
};

ReplyReader::ReplyReader() : state_(std::make_unique<State>()) {}

ReplyReader::~ReplyReader() = default;

const std::string& ReplyReader::error() const noexcept { return state_->error; }

bool ReplyReader::feed(std::string_view bytes) {
    State& state = *state_;
    // In parts, so that a bound is met where it lies and not where the bytes happen to end.
    while (!bytes.empty() && state.error.empty()) {
        const std::string_view part = bytes.substr(0, kMostLineBytes);
        bytes.remove_prefix(part.size());
        redisReader* const reader = state.reader.get();
        if (redisReaderFeed(reader, part.data(), part.size()) != REDIS_OK) {
            state.fail("out of memory");
            break;
        }
        void* reply = nullptr;
        int read = REDIS_OK;
        while ((read = redisReaderGetReply(reader, &reply)) == REDIS_OK && reply != nullptr) {
            state.replies.push_back(std::move(state.tree.root));
            reply = nullptr;
        }
        if (read != REDIS_OK) {
            state.fail(state.tree.refused != nullptr ? state.tree.refused : reader->errstr);
        } else if (!state.is_within_bounds()) {
            state.fail("a reply beyond its bounds");
        }
    }
    return state.error.empty();
}

std::optional<Reply> ReplyReader::next() {
    State& state = *state_;
    if (state.replies.empty()) return std::nullopt;
    std::optional<Reply> reply(std::move(state.replies.front()));
    state.replies.pop_front();
    return reply;
}

}  // namespace rotary::fleet
