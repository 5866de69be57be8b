#include <support/dns_server.hpp>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace rotary::test {

namespace {

constexpr std::size_t kHead = 12;
constexpr int kTypeAaaa = 28;

// The question of a query (RFC 1035, section 4.1): its name in lower case, its type, and where it
// ends. An end of 0: it is none.
struct Question {
    std::string name;
    int type = 0;
    std::size_t end = 0;
};

Question question_of(const std::string& bytes) {
    Question question;
    std::size_t at = kHead;
    while (at < bytes.size() && bytes[at] != 0) {
        const auto length = static_cast<unsigned char>(bytes[at]);
        if (at + 1 + length > bytes.size()) return question;
        if (!question.name.empty()) question.name += '.';
        question.name += bytes.substr(at + 1, length);
        at += 1U + length;
    }
    if (at + 5 > bytes.size()) return question;
    question.type = static_cast<unsigned char>(bytes[at + 2]);
    question.end = at + 5;
    return question;
}

// "" when the address is not of the type.
std::string record(const std::string& address, int type) {
    std::array<char, 16> raw{};
    const bool is_v6 = address.find(':') != std::string::npos;
    if (is_v6 != (type == kTypeAaaa)) return "";
    if (::inet_pton(is_v6 ? AF_INET6 : AF_INET, address.c_str(), raw.data()) != 1) return "";
    const std::size_t size = is_v6 ? 16 : 4;
    std::string out("\xC0\x0C", 2);  // the question's name
    out += {'\0', static_cast<char>(type), '\0', '\1', '\0', '\0', '\0', '\x3C', '\0'};
    out += static_cast<char>(size);
    return out.append(raw.data(), size);
}

}  // namespace

DnsServer::DnsServer() {
    fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd_, generic, size) != 0 || ::getsockname(fd_, generic, &size) != 0) {
        throw std::runtime_error("no port for a name server");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
}

DnsServer::~DnsServer() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port_);
    ::sendto(fd_, "", 0, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    thread_.join();
    ::close(fd_);
}

std::string DnsServer::address() const { return "127.0.0.1:" + std::to_string(port_); }

void DnsServer::has(const std::string& name, const std::vector<std::string>& addresses) {
    const std::lock_guard lock(mutex_);
    names_[name].addresses = addresses;
    names_[name].code = 0;
}

void DnsServer::has_not(const std::string& name) {
    const std::lock_guard lock(mutex_);
    names_[name].addresses.clear();
    names_[name].code = 3;
}

void DnsServer::fails(const std::string& name) {
    const std::lock_guard lock(mutex_);
    names_[name].addresses.clear();
    names_[name].code = 2;
}

void DnsServer::hold(const std::string& name) {
    const std::lock_guard lock(mutex_);
    names_[name].holds = true;
}

void DnsServer::hold_v6(const std::string& name) {
    const std::lock_guard lock(mutex_);
    names_[name].holds_v6 = true;
}

void DnsServer::release(const std::string& name) {
    const std::lock_guard lock(mutex_);
    Name& known = names_[name];
    known.holds = false;
    for (const Packet& packet : std::exchange(known.held, {})) answer(known, packet);
}

std::size_t DnsServer::queries(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = names_.find(name);
    std::size_t count = 0;
    if (found == names_.end()) return count;
    for (const auto& [type, seen] : found->second.seen) count += seen.size();
    return count;
}

std::size_t DnsServer::lookups(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = names_.find(name);
    std::size_t count = 0;
    if (found == names_.end()) return count;
    for (const auto& [type, seen] : found->second.seen) count = std::max(count, seen.size());
    return count;
}

std::size_t DnsServer::packets(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = names_.find(name);
    return found == names_.end() ? 0 : found->second.packets;
}

bool DnsServer::wait_for(const std::string& name, std::size_t packets,
                         std::chrono::milliseconds patience) const {
    std::unique_lock lock(mutex_);
    return came_.wait_for(lock, patience, [&] {
        const auto found = names_.find(name);
        return found != names_.end() && found->second.packets >= packets;
    });
}

void DnsServer::run() {
    std::array<char, 512> buffer{};
    for (;;) {
        Packet packet;
        socklen_t size = sizeof packet.from;
        const auto got = ::recvfrom(fd_, buffer.data(), buffer.size(), 0,
                                    reinterpret_cast<sockaddr*>(&packet.from), &size);
        if (got > 0) packet.bytes.assign(buffer.data(), static_cast<std::size_t>(got));
        const std::lock_guard lock(mutex_);
        if (stopping_) return;
        if (packet.bytes.size() > kHead) take(std::move(packet));
    }
}

void DnsServer::take(Packet packet) {
    const Question question = question_of(packet.bytes);
    if (question.end == 0) return;
    Name& name = names_[question.name];
    ++name.packets;
    name.seen[question.type].emplace(packet.from.sin_port, packet.bytes.substr(0, 2));
    if (name.holds) {
        name.held.push_back(std::move(packet));
    } else if (!name.holds_v6 || question.type != kTypeAaaa) {
        answer(name, packet);
    }
    came_.notify_all();
}

void DnsServer::answer(const Name& name, const Packet& packet) const {
    const Question question = question_of(packet.bytes);
    std::string records;
    int count = 0;
    for (const std::string& address : name.addresses) {
        const std::string one = record(address, question.type);
        count += one.empty() ? 0 : 1;
        records += one;
    }
    std::string out = packet.bytes.substr(0, question.end);
    out[2] = '\x81';
    out[3] = static_cast<char>(0x80 | name.code);
    out[7] = static_cast<char>(count);
    out[9] = out[11] = 0;
    out += records;
    ::sendto(fd_, out.data(), out.size(), 0, reinterpret_cast<const sockaddr*>(&packet.from),
             sizeof packet.from);
}

}  // namespace rotary::test
