#include <support/fake_api_peer.hpp>
#include <support/fake_api_server.hpp>

#include <array>
#include <cstdio>
#include <utility>

// What the API server of the tests says.
namespace rotary::test {

namespace {

std::string status_body(unsigned code, const std::string& reason, const std::string& message,
                        const std::string& details = "{}") {
    return R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":")" +
           message + R"(","reason":")" + reason + R"(","details":)" + details + R"(,"code":)" +
           std::to_string(code) + "}";
}

std::string chunk(const std::string& bytes) {
    std::array<char, 20> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
    return size.data() + bytes + "\r\n";
}

std::string whole(unsigned code, const std::string& body,
                  const std::string& type = "application/json") {
    return "HTTP/1.1 " + std::to_string(code) + " Some\r\nContent-Type: " + type +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
           body;
}

// Of "GET /apis/G/V/namespaces/NS/PLURAL?QUERY HTTP/1.1" and the lines below it.
FakeApiQuestion question_of(const std::string& head) {
    FakeApiQuestion question;
    const std::size_t from = head.find(' ') + 1;
    question.target = head.substr(from, head.find(' ', from) - from);
    const std::size_t mark = question.target.find('?');
    std::string path = question.target.substr(0, mark);
    if (mark != std::string::npos) question.query = question.target.substr(mark + 1);
    path = path.substr(path.find('/', 1) + 1);  // behind /api/ or /apis/
    const std::size_t slash = path.rfind('/');
    question.plural = path.substr(slash + 1);
    std::string group = path.substr(0, slash);
    const std::string part = "/namespaces/";
    const std::size_t at = group.find(part);
    if (at != std::string::npos) {
        question.name_space = group.substr(at + part.size());
        group.resize(at);
    }
    question.resource = group + '/' + question.plural;
    const std::string bearer = "Authorization: Bearer ";
    const std::size_t token = head.find(bearer);
    if (token != std::string::npos) {
        const std::size_t begin = token + bearer.size();
        question.token = head.substr(begin, head.find('\r', begin) - begin);
    }
    return question;
}

}  // namespace

// Nothing: the question is answered.
std::optional<std::string> FakeApiServer::refusal(const FakeApiQuestion& question) const {
    if (question.token != token_) {
        return whole(401, status_body(401, "Unauthorized", "Unauthorized"));
    }
    const auto forbidden = forbidden_.find(question.plural);
    const bool is_named = !question.only().empty();
    if (forbidden != forbidden_.end() && !(forbidden->second && is_named)) {
        return whole(403, status_body(403, "Forbidden", question.plural + " is forbidden"));
    }
    if (!objects_.contains(question.resource)) {
        return whole(404, "404 page not found\n", "text/plain; charset=utf-8");
    }
    return std::nullopt;
}

void FakeApiServer::answer(FakeApiPeer& peer, const std::string& head) {
    const FakeApiQuestion question = question_of(head);
    std::unique_lock lock(mutex_);
    requests_.push_back(head.substr(0, head.find(' ') + 1) + question.target);
    last_head_ = head;
    changed_.notify_all();
    for (auto& [target, bytes] : once_) {
        if (!question.target.starts_with(target)) continue;
        const std::string said = bytes;
        once_.erase(target);
        lock.unlock();
        peer.send(said);
        return;
    }
    const auto refused = refusal(question);
    lock.unlock();
    if (refused) {
        peer.send(*refused);
    } else if (question.is_watch()) {
        watch(peer, question);
    } else {
        list(peer, question);
    }
}

// A page begins behind the object that `continue` names.
void FakeApiServer::list(FakeApiPeer& peer, const FakeApiQuestion& question) {
    std::unique_lock lock(mutex_);
    const std::string after = query_value(question.query, "continue");
    std::string items;
    std::string next;
    std::size_t count = 0;
    for (const auto& [place, object] : objects_[question.resource]) {
        if (place <= after || !question.wants(object.name_space, object.name)) continue;
        if (count == page_) break;
        items += (count++ == 0 ? "" : ",") + object.text;
        next = place;
    }
    const bool is_last = count < page_ || next == objects_[question.resource].rbegin()->first;
    const std::string body = R"({"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":")" +
                             std::to_string(version_) + R"(")" +
                             (is_last ? "" : R"(,"continue":")" + next + '"') + R"(},"items":[)" +
                             items + "]}";
    lock.unlock();
    peer.send(whole(200, body));
}

// The lines that a watch has not had yet.
std::string FakeApiServer::news(const FakeApiQuestion& question, std::uint64_t& seen) const {
    std::string lines;
    if (seen > version_) return lines;  // from the future: silence
    for (const Event& event : events_) {
        if (event.version <= seen || event.resource != question.resource) continue;
        if (question.wants(event.name_space, event.name)) lines += event.line;
    }
    seen = version_;
    return lines;
}

void FakeApiServer::watch(FakeApiPeer& peer, const FakeApiQuestion& question) {
    if (!peer.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n")) {
        return;
    }
    std::unique_lock lock(mutex_);
    ++watches_;
    std::uint64_t seen = question.version();
    const std::uint64_t ends = ends_;
    const std::uint64_t cuts = cuts_;
    std::uint64_t bookmarks = bookmarks_;
    const bool is_too_old = seen < oldest_;
    for (;;) {
        std::string lines = is_too_old ? "" : news(question, seen);
        if (is_too_old) {
            lines = R"({"type":"ERROR","object":)" +
                    status_body(410, "Expired", "too old resource version") + "}\n";
        }
        if (bookmarks != bookmarks_) {
            bookmarks = bookmarks_;
            lines += R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":")" +
                     std::to_string(version_) + "\"}}}\n";
        }
        const bool ends_now = is_too_old || ends != ends_;
        const bool is_cut = cuts != cuts_;
        lock.unlock();
        bool goes_on = lines.empty() || peer.send(chunk(lines));
        if (is_cut) peer.send("40\r\n{\"type\":\"ADDED\",\"obj");
        if (ends_now) peer.send("0\r\n\r\n");
        goes_on = goes_on && !is_cut && !ends_now && !peer.is_gone();
        lock.lock();
        if (!goes_on || stopping_ || !listener_) break;
        changed_.wait_for(lock, std::chrono::milliseconds(20));
    }
    --watches_;
    changed_.notify_all();
}

}  // namespace rotary::test
