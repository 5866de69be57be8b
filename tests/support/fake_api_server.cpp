#include <support/fake_api_server.hpp>

#include <support/certificates.hpp>
#include <support/fake_api_peer.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace rotary::test {

namespace {

std::string key_of(const FakeResource& resource) {
    return resource.group_version + '/' + resource.plural;
}

}  // namespace

FakeApiServer::FakeApiServer() {
    open();
    thread_ = std::thread([this] { run(); });
}

FakeApiServer::~FakeApiServer() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        for (const int fd : sockets_) ::shutdown(fd, SHUT_RDWR);
    }
    changed_.notify_all();
    thread_.join();
    for (std::thread& peer : peers_) peer.join();
}

std::string FakeApiServer::kubeconfig() const {
    return "apiVersion: v1\nkind: Config\ncurrent-context: test\nclusters:\n  - name: test\n"
           "    cluster: {server: \"" +
           url() + "\", certificate-authority: \"" + certificates().ca +
           "\"}\nusers:\n  - name: test\n    user: {token: \"" + token_ +
           "\"}\ncontexts:\n  - {name: test, context: {cluster: test, user: test}}\n";
}

void FakeApiServer::install(const FakeResource& resource) {
    const std::lock_guard lock(mutex_);
    objects_[key_of(resource)];
}

std::string FakeApiServer::store(const FakeResource& resource, Object& object) {
    object.version = ++version_;
    object.text = R"({"apiVersion":")" + resource.group_version + R"(","kind":")" + resource.kind +
                  R"(","metadata":{"name":")" + object.name + R"(","namespace":")" +
                  object.name_space + R"(","uid":"uid-)" + resource.plural + '-' + object.name +
                  R"(","resourceVersion":")" + std::to_string(object.version) +
                  R"(","generation":)" + std::to_string(object.generation) +
                  R"(,"managedFields":[{"manager":"kubectl"}]},)" + object.fields +
                  R"(,"status":{"seen":)" + std::to_string(object.version) + "}}";
    return object.text;
}

void FakeApiServer::tell(const std::string& type, const FakeResource& resource,
                         const Object& object) {
    events_.push_back({object.version, key_of(resource), object.name_space, object.name,
                       R"({"type":")" + type + R"(","object":)" + object.text + "}\n"});
    changed_.notify_all();
}

void FakeApiServer::put(const FakeResource& resource, const std::string& name,
                        const std::string& fields, const std::string& name_space) {
    const std::lock_guard lock(mutex_);
    auto& all = objects_[key_of(resource)];
    const std::string place = name_space + '/' + name;
    const bool is_new = !all.contains(place);
    Object& object = all[place];
    object.name = name;
    object.name_space = name_space;
    object.generation += is_new ? 0 : 1;
    object.fields = fields;
    store(resource, object);
    tell(is_new ? "ADDED" : "MODIFIED", resource, object);
}

void FakeApiServer::touch(const FakeResource& resource, const std::string& name,
                          const std::string& name_space) {
    const std::lock_guard lock(mutex_);
    Object& object = objects_[key_of(resource)].at(name_space + '/' + name);
    store(resource, object);
    tell("MODIFIED", resource, object);
}

void FakeApiServer::remove(const FakeResource& resource, const std::string& name,
                           const std::string& name_space) {
    const std::lock_guard lock(mutex_);
    auto& all = objects_[key_of(resource)];
    Object object = all.at(name_space + '/' + name);
    all.erase(name_space + '/' + name);
    store(resource, object);
    tell("DELETED", resource, object);
}

void FakeApiServer::uninstall(const FakeResource& resource) {
    const std::lock_guard lock(mutex_);
    for (auto& [place, object] : objects_[key_of(resource)]) {
        store(resource, object);
        tell("DELETED", resource, object);
    }
    objects_.erase(key_of(resource));
    ++ends_;
    changed_.notify_all();
}

void FakeApiServer::forbid(const std::string& plural, bool unless_named) {
    const std::lock_guard lock(mutex_);
    forbidden_[plural] = unless_named;
}

void FakeApiServer::allow(const std::string& plural) {
    const std::lock_guard lock(mutex_);
    forbidden_.erase(plural);
}

void FakeApiServer::set_token(const std::string& token) {
    const std::lock_guard lock(mutex_);
    token_ = token;
}

void FakeApiServer::page_at_most(std::size_t objects) {
    const std::lock_guard lock(mutex_);
    page_ = objects;
}

void FakeApiServer::bookmark() {
    const std::lock_guard lock(mutex_);
    ++version_;
    ++bookmarks_;
    changed_.notify_all();
}

void FakeApiServer::end_watches() {
    const std::lock_guard lock(mutex_);
    ++ends_;
    changed_.notify_all();
}

void FakeApiServer::cut_watches() {
    const std::lock_guard lock(mutex_);
    ++cuts_;
    changed_.notify_all();
}

void FakeApiServer::forget_history() {
    const std::lock_guard lock(mutex_);
    oldest_ = ++version_;
    events_.clear();
}

void FakeApiServer::go_back() {
    const std::lock_guard lock(mutex_);
    version_ = 1;
    oldest_ = 0;
    events_.clear();
    for (auto& [resource, all] : objects_) {
        for (auto& [place, object] : all) object.version = 1;
    }
}

void FakeApiServer::close() {
    const std::lock_guard lock(mutex_);
    ::shutdown(listener_->fd(), SHUT_RDWR);  // a thread that still polls it would keep it open
    listener_.reset();
    for (const int fd : sockets_) ::shutdown(fd, SHUT_RDWR);
    changed_.notify_all();
}

void FakeApiServer::open() {
    const std::lock_guard lock(mutex_);
    listener_.emplace(port_);
    listener_->listen(64);
    port_ = listener_->number();
}

void FakeApiServer::answer_once(const std::string& target, const std::string& bytes) {
    const std::lock_guard lock(mutex_);
    once_[target] = bytes;
}

void FakeApiServer::keep_connections() {
    const std::lock_guard lock(mutex_);
    keeps_ = true;
}

std::vector<std::string> FakeApiServer::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

std::size_t FakeApiServer::count(const std::string& part) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count_if(
        requests_.begin(), requests_.end(),
        [&](const std::string& request) { return request.find(part) != std::string::npos; }));
}

std::string FakeApiServer::last_head() const {
    const std::lock_guard lock(mutex_);
    return last_head_;
}

std::size_t FakeApiServer::watches() const {
    const std::lock_guard lock(mutex_);
    return watches_;
}

std::size_t FakeApiServer::connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
}

std::size_t FakeApiServer::open_connections() const {
    const std::lock_guard lock(mutex_);
    return sockets_.size();
}

std::uint64_t FakeApiServer::version() const {
    const std::lock_guard lock(mutex_);
    return version_;
}

void FakeApiServer::run() {
    for (;;) {
        int fd = -1;
        pollfd door{-1, POLLIN, 0};
        {
            const std::lock_guard lock(mutex_);
            if (stopping_) return;
            if (listener_) door.fd = listener_->fd();
            if (listener_) fd = ::accept4(door.fd, nullptr, nullptr, SOCK_CLOEXEC);
            if (fd >= 0) {
                sockets_.insert(fd);
                ++connections_;
                peers_.emplace_back([this, fd] { serve(fd); });
            }
        }
        if (fd < 0) ::poll(&door, 1, 5);
    }
}

void FakeApiServer::serve(int fd) {
    {
        FakeApiPeer peer(fd);
        std::string request;
        bool goes_on = peer.begin();
        while (goes_on && peer.read_request(request)) {
            answer(peer, request);
            const std::lock_guard lock(mutex_);
            goes_on = keeps_;
        }
        const std::lock_guard lock(mutex_);
        sockets_.erase(fd);  // before its number is another's
    }
}

}  // namespace rotary::test
