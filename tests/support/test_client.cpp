#include <support/test_client.hpp>
#include <support/test_connection.hpp>

#include <rotary/base/text.hpp>

#include <algorithm>
#include <charconv>
#include <thread>

namespace rotary::test {

namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

void add_header_line(Headers& headers, std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) {
        throw ClientError("no header: " + std::string(line));
    }
    headers.emplace_back(line.substr(0, colon), text::trim(line.substr(colon + 1)));
}

}  // namespace

// What is left of the answer that is being read.
struct TestClient::Body {
    enum class Framing { none, length, chunked, until_close };
    Framing framing = Framing::none;
    std::uint64_t left = 0;  // of the length, or of this chunk
    bool first_chunk = true;
    Ending ending = Ending::framed;
    std::string events;  // taken from the body, no whole event yet
    std::chrono::steady_clock::time_point arrived_at;
    Headers trailers;
};

std::string_view ResponseHead::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (text::iequals(key, name)) return value;
    }
    return {};
}

std::size_t ResponseHead::count(std::string_view name) const {
    return static_cast<std::size_t>(std::count_if(
        headers.begin(), headers.end(), [&](auto& h) { return text::iequals(h.first, name); }));
}

std::string_view Event::data() const {
    constexpr std::string_view kField = "data: ";
    const std::string_view all = text;
    return all.starts_with(kField) ? all.substr(kField.size()) : std::string_view{};
}

std::string Request::bytes() const {
    std::string out = method + " " + target + " HTTP/1.1\r\n";
    const auto has = [&](std::string_view name) {
        return std::any_of(headers.begin(), headers.end(),
                           [&](const auto& h) { return text::iequals(h.first, name); });
    };
    if (!has("host")) out += "Host: localhost\r\n";
    for (const auto& [name, value] : headers) out += name + ": " + value + "\r\n";
    if ((!body.empty() || method == "POST") && !has("content-length") &&
        !has("transfer-encoding")) {
        out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    }
    return out + "\r\n" + body;
}

TestClient::TestClient(const ClientOptions& options)
    : connection_(std::make_unique<Connection>(options)), body_(std::make_unique<Body>()) {}

TestClient::~TestClient() = default;
TestClient::TestClient(TestClient&& other) noexcept = default;
TestClient& TestClient::operator=(TestClient&& other) noexcept = default;

bool TestClient::send(std::string_view bytes) { return connection_->write(bytes); }

bool TestClient::send_pieces(std::string_view bytes, std::size_t piece,
                             std::chrono::milliseconds pause) {
    while (!bytes.empty()) {
        if (!send(bytes.substr(0, piece))) return false;
        bytes.remove_prefix(std::min(piece, bytes.size()));
        if (pause.count() > 0 && !bytes.empty()) std::this_thread::sleep_for(pause);
    }
    return true;
}

bool TestClient::fill() { return connection_->read(); }

// Up to CRLF, which is taken off. Throws when the stream ends first.
std::string TestClient::read_line() {
    std::string& input = connection_->input;
    for (std::size_t from = 0;;) {
        const std::size_t end = input.find("\r\n", from);
        if (end != std::string::npos) {
            std::string line = input.substr(0, end);
            input.erase(0, end + 2);
            return line;
        }
        from = input.empty() ? 0 : input.size() - 1;
        if (!fill()) throw ClientError("the connection ended inside a line: " + input);
    }
}

ResponseHead TestClient::read_head(bool to_head) {
    ResponseHead head;
    for (;;) {
        const std::string line = read_line();
        head.arrived_at = std::chrono::steady_clock::now();
        if (line.size() < 12 || !line.starts_with("HTTP/1.") || line[8] != ' ') {
            throw ClientError("no status line: " + line);
        }
        head.version = line.substr(0, 8);
        const auto status = text::parse_unsigned(std::string_view(line).substr(9, 3));
        if (!status) throw ClientError("no status: " + line);
        head.status = static_cast<unsigned>(*status);
        head.reason = line.size() > 13 ? line.substr(13) : "";
        head.headers.clear();
        for (std::string field = read_line(); !field.empty(); field = read_line()) {
            add_header_line(head.headers, field);
        }
        if (head.status / 100 != 1) break;
        head.informational.push_back(head.status);
    }
    *body_ = {};
    const std::string_view length = head.header("content-length");
    if (to_head || head.status == 204 || head.status == 304) return head;
    body_->ending = Ending::open;
    if (text::iequals(head.header("transfer-encoding"), "chunked")) {
        if (head.count("content-length") > 0) throw ClientError("both framings at once");
        body_->framing = Body::Framing::chunked;
    } else if (head.count("content-length") > 0) {
        const auto value = text::parse_unsigned(length);
        if (!value || head.count("content-length") > 1) throw ClientError("bad Content-Length");
        body_->framing = Body::Framing::length;
        body_->left = *value;
        if (*value == 0) body_->ending = Ending::framed;
    } else {
        body_->framing = Body::Framing::until_close;
    }
    return head;
}

// Some of the body, at most `most` bytes; nothing at the end of the stream.
std::optional<std::string> TestClient::take(std::size_t most) {
    std::string& input = connection_->input;
    if (input.empty() && !fill()) return std::nullopt;
    body_->arrived_at = std::chrono::steady_clock::now();
    std::string piece = input.substr(0, most);
    input.erase(0, piece.size());
    return piece;
}

bool TestClient::start_chunk() {
    if (!body_->first_chunk && !read_line().empty()) throw ClientError("no CRLF behind a chunk");
    body_->first_chunk = false;
    const std::string line = read_line();
    const char* const end = line.data() + std::min(line.find(';'), line.size());
    const auto [stop, error] = std::from_chars(line.data(), end, body_->left, 16);
    if (error != std::errc{} || stop != end) throw ClientError("bad chunk size: " + line);
    return body_->left > 0;
}

bool TestClient::read_trailers() {
    for (std::string line = read_line(); !line.empty(); line = read_line()) {
        add_header_line(body_->trailers, line);
    }
    return true;
}

std::optional<std::string> TestClient::read_body_piece() {
    Body& body = *body_;
    if (body.ending != Ending::open) return std::nullopt;
    if (body.framing == Body::Framing::until_close) {
        auto piece = take(std::string::npos);
        if (piece) return piece;
        const ReadEnd proper = connection_->ssl != nullptr ? ReadEnd::close_notify : ReadEnd::fin;
        body.ending = connection_->end == proper ? Ending::close_delimited : Ending::cut;
        return std::nullopt;
    }
    if (body.framing == Body::Framing::chunked && body.left == 0) {
        try {
            if (!start_chunk()) {
                read_trailers();
                body.ending = Ending::framed;
                return std::nullopt;
            }
        } catch (const ClientError&) {
            // Cut inside the framing is cut; a malformed chunk while bytes still come is worse.
            if (connection_->end == ReadEnd::none) throw;
            body.ending = Ending::cut;
            return std::nullopt;
        }
    }
    auto piece = take(body.left);
    if (!piece) {
        body.ending = Ending::cut;
        return std::nullopt;
    }
    body.left -= piece->size();
    if (body.framing == Body::Framing::length && body.left == 0) body.ending = Ending::framed;
    return piece;
}

std::optional<Event> TestClient::read_event() {
    Body& body = *body_;
    for (;;) {
        const std::size_t end = body.events.find("\n\n");
        if (end != std::string::npos) {
            Event event{body.events.substr(0, end), body.arrived_at};
            body.events.erase(0, end + 2);
            return event;
        }
        const auto piece = read_body_piece();
        if (!piece) return std::nullopt;
        body.events += *piece;
    }
}

Response TestClient::read_response(bool to_head) {
    Response response;
    static_cast<ResponseHead&>(response) = read_head(to_head);
    while (const auto piece = read_body_piece()) response.body += *piece;
    response.ending = ending();
    response.trailers = body_->trailers;
    if (response.ending != Ending::framed) response.read_end = last_end();
    return response;
}

Response TestClient::exchange(const Request& request) {
    // A server may answer and close before it has read everything: the answer counts.
    send(request);
    return read_response(request.method == "HEAD");
}

Ending TestClient::ending() const { return body_->ending; }

ReadEnd TestClient::last_end() const { return connection_->end; }

std::string TestClient::read_to_end() {
    while (fill()) {
    }
    return std::exchange(connection_->input, {});
}

ReadEnd TestClient::wait_for_end(std::chrono::milliseconds timeout) {
    using Clock = std::chrono::steady_clock;
    const auto until = Clock::now() + timeout;
    connection_->end = ReadEnd::timeout;
    for (auto now = Clock::now(); now < until; now = Clock::now()) {
        connection_->set_read_timeout(std::chrono::ceil<std::chrono::milliseconds>(until - now));
        if (!fill()) break;
        connection_->input.clear();
        connection_->end = ReadEnd::timeout;
    }
    connection_->set_read_timeout(connection_->timeout);
    return connection_->end;
}

bool TestClient::has_unread_bytes(std::chrono::milliseconds patience) {
    return connection_->readable_within(patience);
}

void TestClient::shutdown_write() { connection_->shut(true, false); }

void TestClient::close() { connection_->shut(true, true); }

void TestClient::drop() { connection_->shut(false, true); }

void TestClient::reset() { connection_->reset(); }

int TestClient::descriptor() const { return connection_->fd; }

std::string TestClient::tls_version() const {
    return connection_->ssl != nullptr ? SSL_get_version(connection_->ssl) : "";
}

std::string TestClient::alpn() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    if (connection_->ssl != nullptr) SSL_get0_alpn_selected(connection_->ssl, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
}

Response fetch(const ClientOptions& options, const Request& request) {
    TestClient client(options);
    return client.exchange(request);
}

}  // namespace rotary::test
