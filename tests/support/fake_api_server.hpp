#pragma once

#include <support/loopback_port.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace rotary::test {

// A resource as the API names it.
struct FakeResource {
    std::string group_version;  // dp.wso2.com/v1alpha3, or v1
    std::string plural;         // apis
    std::string kind;           // API
};

class FakeApiPeer;
struct FakeApiQuestion;

// The part of a Kubernetes API server that a source of configuration sees: LIST with pages, WATCH
// with versions and bookmarks, Status bodies, over TLS with certificates().server, on threads of
// its own. It answers as a v1.36 did, and wrongly as it is told. Any thread.
class FakeApiServer {
public:
    FakeApiServer();
    ~FakeApiServer();
    FakeApiServer(const FakeApiServer&) = delete;
    FakeApiServer& operator=(const FakeApiServer&) = delete;

    std::uint16_t port() const { return port_; }
    std::string url() const { return "https://127.0.0.1:" + std::to_string(port_); }
    std::string kubeconfig() const;  // its text, with the token

    // Objects. `fields` is the inside of its JSON object beside apiVersion, kind and metadata:
    // R"("spec": {...})". An installed resource has no object; others are 404.
    void install(const FakeResource& resource);
    void put(const FakeResource& resource, const std::string& name, const std::string& fields,
             const std::string& name_space = "default");
    // The same object with another version, as an edit of its status makes it.
    void touch(const FakeResource& resource, const std::string& name,
               const std::string& name_space = "default");
    void remove(const FakeResource& resource, const std::string& name,
                const std::string& name_space = "default");
    void uninstall(const FakeResource& resource);  // its objects are DELETED, watches end, then 404

    // What it does.
    void forbid(const std::string& plural, bool unless_named = false);  // 403
    void allow(const std::string& plural);
    void set_token(const std::string& token);  // others are 401
    void page_at_most(std::size_t objects);
    void bookmark();        // to all watches
    void end_watches();     // cleanly, as their time does
    void cut_watches();     // in mid-chunk
    void forget_history();  // versions from before are too old: 410 in the stream
    void go_back();         // a restored etcd: versions from before are from the future
    void close();           // connections are refused, those that are there are cut
    void open();
    // The next request whose target begins so is answered by these bytes, and the connection ends,
    // unless connections are kept.
    void answer_once(const std::string& target, const std::string& bytes);
    void keep_connections();

    // What came.
    std::vector<std::string> requests() const;         // "GET /apis/..."
    std::size_t count(const std::string& part) const;  // of requests that hold it
    std::string last_head() const;
    std::size_t watches() const;           // open now
    std::size_t connections() const;       // in all
    std::size_t open_connections() const;  // now
    std::uint64_t version() const;

private:
    struct Object {
        std::string name_space, name, text;
        std::uint64_t version = 0;
        std::uint64_t generation = 1;
        std::string fields;
    };
    struct Event {
        std::uint64_t version = 0;
        std::string resource, name_space, name, line;
    };
    void run();
    void serve(int fd);
    void answer(FakeApiPeer& peer, const std::string& head);
    void list(FakeApiPeer& peer, const FakeApiQuestion& question);
    void watch(FakeApiPeer& peer, const FakeApiQuestion& question);
    std::string news(const FakeApiQuestion& question, std::uint64_t& seen) const;
    std::string store(const FakeResource& resource, Object& object);
    void tell(const std::string& type, const FakeResource& resource, const Object& object);
    std::optional<std::string> refusal(const FakeApiQuestion& question) const;

    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::optional<LoopbackPort> listener_;
    std::map<std::string, std::map<std::string, Object>> objects_;  // by resource, by ns/name
    std::vector<Event> events_;
    std::uint64_t version_ = 100;
    std::uint64_t oldest_ = 0;
    std::uint64_t ends_ = 0;
    std::uint64_t cuts_ = 0;
    std::uint64_t bookmarks_ = 0;
    std::size_t page_ = 500;
    std::size_t watches_ = 0;
    std::map<std::string, bool> forbidden_;  // by plural: whether named ones are allowed
    std::map<std::string, std::string> once_;
    std::string token_ = "secret-token";
    std::vector<std::string> requests_;
    std::string last_head_;
    std::set<int> sockets_;
    std::size_t connections_ = 0;
    bool keeps_ = false;
    bool stopping_ = false;
    std::vector<std::thread> peers_;
    std::thread thread_;
};

}  // namespace rotary::test
