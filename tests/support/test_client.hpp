#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// A blocking HTTP/1.1 client for tests, on a raw descriptor: it sends the very bytes it is told to
// and tells exactly how an answer ended. Nothing here is lenient on behalf of the server.
namespace rotary::test {

struct ClientOptions {
    std::string host = "127.0.0.1";  // an IP address; names are for `sni`
    std::uint16_t port = 0;
    bool tls = true;
    std::string preface;     // sent before TLS, as proxies do
    std::string sni;         // sent when not empty, and verified when there is a `ca`
    std::string ca;          // PEM file; empty: any certificate will do
    std::string alpn;        // e.g. "http/1.1"; empty: none offered
    int max_tls = 0;         // e.g. TLS1_2_VERSION; 0: the newest
    int receive_buffer = 0;  // SO_RCVBUF in bytes, for slow readers; 0: the system's
    // A net under every test: no single read or write takes longer. Not for timing.
    std::chrono::milliseconds timeout{10'000};
};

// No connection, a failed handshake, a broken head.
class ClientError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Why no more bytes came.
enum class ReadEnd { none, close_notify, fin, reset, timeout };

// How a body ended.
enum class Ending {
    open,             // more of it is to come
    framed,           // Content-Length reached, terminating chunk read, or no body at all
    close_delimited,  // by the end of the connection, properly (close_notify under TLS)
    cut,              // anything else: see last_end()
};

struct ResponseHead {
    unsigned status = 0;
    std::string version;  // "HTTP/1.1"
    std::string reason;
    std::vector<std::pair<std::string, std::string>> headers;
    std::vector<unsigned> informational;  // statuses 1xx that came before
    std::chrono::steady_clock::time_point arrived_at;

    // Of the first header of this name; empty if there is none. Case does not matter.
    std::string_view header(std::string_view name) const;
    std::size_t count(std::string_view name) const;
};

struct Response : ResponseHead {
    std::string body;  // without its framing
    std::vector<std::pair<std::string, std::string>> trailers;
    Ending ending = Ending::open;
    ReadEnd read_end = ReadEnd::none;  // when it did not end by its framing
    bool whole() const { return ending == Ending::framed || ending == Ending::close_delimited; }
};

struct Event {
    std::string text;  // the whole event, without the empty line
    std::chrono::steady_clock::time_point arrived_at;
    std::string_view data() const;  // behind "data: ", of an event with one line
};

struct Request {
    std::string method = "GET";
    std::string target = "/";
    std::vector<std::pair<std::string, std::string>> headers;  // Host is added unless given
    std::string body;  // with Content-Length when not empty or the method is POST
    std::string bytes() const;
};

class TestClient {
public:
    explicit TestClient(const ClientOptions& options);  // connects; throws ClientError
    ~TestClient();
    TestClient(TestClient&& other) noexcept;
    TestClient& operator=(TestClient&& other) noexcept;

    // False when the peer has gone.
    bool send(std::string_view bytes);
    bool send_pieces(std::string_view bytes, std::size_t piece,
                     std::chrono::milliseconds pause = {});
    bool send(const Request& request) { return send(request.bytes()); }

    // The next answer; what comes behind it is kept for the one after. Throws ClientError when no
    // whole head comes. `to_head`: the request was HEAD, so there is no body.
    Response read_response(bool to_head = false);
    Response exchange(const Request& request);

    // The same in steps: the head, then pieces of the body or events until none is left.
    ResponseHead read_head(bool to_head = false);
    std::optional<std::string> read_body_piece();  // nothing: the body has ended, see ending()
    std::optional<Event> read_event();             // nothing: the body has ended
    Ending ending() const;
    ReadEnd last_end() const;

    // Bytes as they come, framing and all, until the connection ends.
    std::string read_to_end();
    // Reads and drops until the connection ends or this time is over.
    ReadEnd wait_for_end(std::chrono::milliseconds timeout);
    // Are bytes there that no answer has claimed? Waits for them as long as that.
    bool has_unread_bytes(std::chrono::milliseconds patience = {});

    void shutdown_write();  // close_notify and FIN, reading goes on
    void close();           // close_notify and FIN
    void drop();            // FIN without close_notify
    void reset();           // RST

    int descriptor() const;
    std::string tls_version() const;
    std::string alpn() const;

private:
    struct Connection;
    struct Body;

    bool fill();
    std::string read_line();
    bool start_chunk();
    bool read_trailers();
    std::optional<std::string> take(std::size_t most);

    std::unique_ptr<Connection> connection_;
    std::unique_ptr<Body> body_;
};

// GET or POST once, on a connection of its own.
Response fetch(const ClientOptions& options, const Request& request);

}  // namespace rotary::test
