#include <support/redis_server.hpp>

#include <support/eventually.hpp>
#include <support/loopback_port.hpp>

#include <csignal>
#include <stdexcept>
#include <utility>

namespace rotary::test {

namespace {

constexpr int kTries = 5;  // another process may take the port first

}  // namespace

RedisServer::RedisServer(RedisOptions options) : options_(std::move(options)) {
    for (int i = 0; i < kTries; ++i) {
        port_ = LoopbackPort().number();
        if (come_up()) return;
    }
    throw std::runtime_error("redis-server: " + (process_ ? process_->output() : ""));
}

std::string RedisServer::url() const {
    return (options_.tls ? "rediss://localhost:" : "redis://127.0.0.1:") + std::to_string(port_);
}

std::string RedisServer::command(const std::vector<std::string>& words) const {
    ProcessOptions program;
    program.command = {"/usr/bin/redis-cli", "-p", std::to_string(port_)};
    if (options_.tls) {
        const std::vector<std::string> tls{"--tls", "--cacert", certificates().ca};
        program.command.insert(program.command.end(), tls.begin(), tls.end());
    }
    program.command.insert(program.command.end(), words.begin(), words.end());
    std::string printed = run_process(program).output;
    while (!printed.empty() && printed.back() == '\n') printed.pop_back();
    return printed;
}

bool RedisServer::wait_for_link() const {
    return eventually([&] {
        return command({"info", "replication"}).find("master_link_status:up") != std::string::npos;
    });
}

void RedisServer::kill() {
    process_->signal(SIGKILL);
    process_->wait(kPatience);
}

void RedisServer::start() {
    if (!come_up()) throw std::runtime_error("redis-server: " + process_->output());
}

bool RedisServer::come_up() {
    ProcessOptions program;
    program.folder = folder_.path().string();
    program.command = {"/usr/bin/redis-server"};
    if (options_.sentinel || !options_.settings.empty()) {
        program.command.push_back(folder_.write("redis.conf", options_.settings));
    }
    const std::string port = std::to_string(port_);
    std::vector<std::string> more{options_.tls ? "--tls-port" : "--port", port, "--bind",
                                  "127.0.0.1"};
    if (options_.sentinel) {
        more.emplace_back("--sentinel");
    } else {
        for (const char* word : {"--save", "", "--appendonly", "no", "--enable-debug-command",
                                 "local", "--repl-diskless-sync-delay", "0"}) {
            more.emplace_back(word);
        }
    }
    if (options_.tls) {
        const Certificates& own = certificates();
        const PemFiles& pair = options_.certificate.key.empty() ? own.server : options_.certificate;
        for (const std::string& word :
             {std::string("--port"), std::string("0"), std::string("--tls-cert-file"),
              pair.certificate, std::string("--tls-key-file"), pair.key,
              std::string("--tls-ca-cert-file"), own.ca, std::string("--tls-auth-clients"),
              std::string("no")}) {
            more.push_back(word);
        }
    }
    program.command.insert(program.command.end(), more.begin(), more.end());
    program.command.insert(program.command.end(), options_.arguments.begin(),
                           options_.arguments.end());
    process_.reset();
    process_ = std::make_unique<ChildProcess>(program);
    return process_->wait_for_output(options_.sentinel ? "+monitor" : "Ready to accept", kPatience);
}

}  // namespace rotary::test
