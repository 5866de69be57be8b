// Where the commands look for an admin listener, and what they make of its answers.
#include "tools/admin_client.hpp"

#include <gmock/gmock.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>
#include <thread>

#include <support/temp_dir.hpp>

namespace rotary::tools {

namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(AdminUrl, IsAHostAndAPort) {
    struct Row {
        const char* url;
        const char* host;  // null: it is refused
        const char* port;
        const char* header;
    };
    const Row rows[] = {
        {"http://127.0.0.1:9901", "127.0.0.1", "9901", "127.0.0.1:9901"},
        {"http://127.0.0.1:9901/", "127.0.0.1", "9901", "127.0.0.1:9901"},
        {"HTTP://gateway.test:1", "gateway.test", "1", "gateway.test:1"},
        {"http://localhost", "localhost", "80", "localhost"},
        {"http://[::1]:9901", "::1", "9901", "[::1]:9901"},
        {"http://[::1]", "::1", "80", "[::1]"},
        {"http://a:65535", "a", "65535", "a:65535"},
        {"http://a:0", nullptr, "", ""},
        {"http://a:65536", nullptr, "", ""},
        {"http://a:", nullptr, "", ""},
        {"http://a:x", nullptr, "", ""},
        {"http://:9901", nullptr, "", ""},
        {"http://", nullptr, "", ""},
        {"", nullptr, "", ""},
        {"127.0.0.1:9901", nullptr, "", ""},
        {"https://127.0.0.1:9901", nullptr, "", ""},
        {"http://a/b", nullptr, "", ""},
        {"http://user@a", nullptr, "", ""},
        {"http://a?x", nullptr, "", ""},
        {"http://[::1", nullptr, "", ""},
        {"http://[::1]x", nullptr, "", ""},
        {"http://a\r\nHost: b", nullptr, "", ""},
    };
    for (const Row& row : rows) {
        const auto place = parse_admin_url(row.url);
        ASSERT_EQ(place.has_value(), row.host != nullptr) << row.url;
        if (!place) continue;
        EXPECT_EQ(place->host, row.host) << row.url;
        EXPECT_EQ(place->port, row.port) << row.url;
        EXPECT_EQ(place->host_header, row.header) << row.url;
        EXPECT_EQ(place->token, "") << row.url;
    }
}

TEST(FindAdmin, TakesTheUrlAndTheToken) {
    const test::TempDir dir;
    std::string error;
    EXPECT_EQ(find_admin({}, error)->host_header, "127.0.0.1:9901");
    EXPECT_EQ(find_admin({"http://a:1", "", ""}, error)->port, "1");
    EXPECT_FALSE(find_admin({"ftp://a", "", ""}, error));
    EXPECT_THAT(error, HasSubstr("http://127.0.0.1:9901"));
    struct Row {
        const char* name;
        const char* text;
        const char* token;  // null: it is refused
    };
    for (const Row& row : {Row{"a line", "secret-0123456789\n", "secret-0123456789"},
                           Row{"no end of line", "secret", "secret"}, Row{"empty", "", nullptr},
                           Row{"two lines", "a\nb\n", nullptr}, Row{"a space", "a b", nullptr},
                           Row{"a header", "a\r\nx: y", nullptr}}) {
        error.clear();
        const std::string file = dir.write("token", row.text);
        const auto place = find_admin({"", "", file}, error);
        ASSERT_EQ(place.has_value(), row.token != nullptr) << row.name;
        if (place) {
            EXPECT_EQ(place->token, row.token) << row.name;
        } else {
            EXPECT_THAT(error, HasSubstr(file)) << row.name;
        }
    }
    EXPECT_FALSE(find_admin({"", "", dir / "nothing"}, error));
}

TEST(PathSegment, OnlyPlainBytesStayAsTheyAre) {
    EXPECT_EQ(path_segment("chat/production/gpt-4o@one"), "chat%2Fproduction%2Fgpt-4o%40one");
    EXPECT_EQ(path_segment("a-._~Z9"), "a-._~Z9");
    EXPECT_EQ(path_segment("%?# \n\xC3\xA9"), "%25%3F%23%20%0A%C3%A9");
    EXPECT_EQ(path_segment(""), "");
}

TEST(MessageOf, IsTheErrorsOwnOrTheText) {
    EXPECT_EQ(message_of({404, R"({"error":{"message":"no entry of that id"}})"}),
              "no entry of that id");
    EXPECT_EQ(message_of({503, "not ready\n\n"}), "not ready");
    EXPECT_EQ(message_of({500, R"({"error":"x"})"}), R"({"error":"x"})");
    EXPECT_EQ(message_of({0, ""}), "");
}

// A listener of one connection, which answers with these bytes and ends it.
class OneAnswer {
public:
    explicit OneAnswer(std::string answer) : answer_(std::move(answer)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::listen(listener_, 1), 0);
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        place.port = std::to_string(ntohs(address.sin_port));
        place.host_header = "127.0.0.1:" + place.port;
        thread_ = std::thread([this] { serve(); });
    }
    ~OneAnswer() {
        if (thread_.joinable()) thread_.join();
        ::close(listener_);
    }
    OneAnswer(const OneAnswer&) = delete;
    OneAnswer& operator=(const OneAnswer&) = delete;

    std::string asked() {
        thread_.join();
        return asked_;
    }

    AdminPlace place;

private:
    void serve() {
        const int fd = ::accept(listener_, nullptr, nullptr);
        std::array<char, 4096> piece;
        while (asked_.find("\r\n\r\n") == std::string::npos) {
            const ssize_t got = ::recv(fd, piece.data(), piece.size(), 0);
            if (got <= 0) break;
            asked_.append(piece.data(), static_cast<std::size_t>(got));
        }
        ::send(fd, answer_.data(), answer_.size(), MSG_NOSIGNAL);
        ::close(fd);
    }

    const std::string answer_;
    const int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    std::string asked_;
    std::thread thread_;
};

TEST(AskAdmin, SendsOneRequest) {
    OneAnswer listener("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes");
    listener.place.token = "secret";
    const AdminReply reply = ask_admin(listener.place, "POST", "/api/v1/drain");
    EXPECT_TRUE(reply.ok());
    EXPECT_EQ(reply.body, "yes");
    EXPECT_EQ(listener.asked(),
              "POST /api/v1/drain HTTP/1.1\r\nHost: " + listener.place.host_header +
                  "\r\nAuthorization: Bearer secret\r\nContent-Length: 0\r\n"
                  "Connection: close\r\n\r\n");
}

TEST(AskAdmin, AnAnswerIsAStatusAndABody) {
    struct Row {
        const char* name;
        const char* bytes;
        unsigned status;
        const char* body;
    };
    const Row rows[] = {
        {"refused", "HTTP/1.1 403 Forbidden\r\n\r\nno", 403, "no"},
        {"empty body", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
        {"nothing", "", 0, "what answered is no admin listener"},
        {"another protocol", "SSH-2.0-x\r\n\r\n", 0, "what answered is no admin listener"},
        {"no end of the head", "HTTP/1.1 200 OK\r\n", 0, "what answered is no admin listener"},
        {"no status", "HTTP/1.1 abc OK\r\n\r\n", 0, "what answered is no admin listener"},
    };
    for (const Row& row : rows) {
        OneAnswer listener(row.bytes);
        const AdminReply reply = ask_admin(listener.place, "GET", "/");
        EXPECT_EQ(reply.status, row.status) << row.name;
        EXPECT_EQ(reply.body, row.body) << row.name;
        EXPECT_THAT(listener.asked(), Not(HasSubstr("Authorization"))) << row.name;
    }
}

TEST(AskAdmin, WithoutAListenerItSaysWhere) {
    std::optional<AdminPlace> place;
    {
        OneAnswer gone("");
        place = gone.place;
        ask_admin(*place, "GET", "/");
    }
    const AdminReply reply = ask_admin(*place, "GET", "/");
    EXPECT_EQ(reply.status, 0U);
    EXPECT_FALSE(reply.ok());
    EXPECT_THAT(reply.body, HasSubstr(place->port));
}

}  // namespace

}  // namespace rotary::tools
