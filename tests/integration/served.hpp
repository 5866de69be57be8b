#pragma once

#include "edge_support.hpp"

#include <support/process.hpp>
#include <support/temp_dir.hpp>

#include <dirent.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <sstream>
#include <string>

namespace rotary::test {

// `rotary serve`, a process of its own, in front of a mock of this one; listening once it is made.
class Served : public Front {
public:
    struct Options {
        GatewayOptions gateway;
        std::uint16_t port = 0;    // 0: the kernel chooses
        unsigned descriptors = 0;  // RLIMIT_NOFILE of the process; 0: ours
        std::string output{};      // the file that standard output is appended to; empty: a pipe
    };
    Served(const mock::MockProvider& mock, const Options& options)
        : files_(in_front_of(mock, options.gateway)) {
        if (options.port != 0) listen_on(options.port);
        std::string shell = "exec \"$0\" \"$@\"";
        if (!options.output.empty()) shell += " >> " + options.output;
        if (options.descriptors != 0) {
            shell = "ulimit -n " + std::to_string(options.descriptors) + " && " + shell;
        }
        ProcessOptions start;
        start.command = {"/bin/sh", "-c", shell};
        for (const std::string& word : {std::string(ROTARY_BINARY), std::string("serve"),
                                        std::string("-c"), files_.config()}) {
            start.command.push_back(word);
        }
        process_.emplace(start);
        EXPECT_TRUE(process_->wait_for_errors("admin listening", kPatience)) << process_->errors();
        reached_at(port_behind("\"msg\":\"listening\""),
                   port_behind("\"msg\":\"admin listening\""));
    }

    ChildProcess& process() { return *process_; }
    GatewayFiles& files() { return files_; }

    std::size_t open_descriptors() const {
        std::size_t count = 0;
        DIR* folder = ::opendir(proc("fd").c_str());
        if (folder == nullptr) return 0;
        while (const dirent* entry = ::readdir(folder)) count += entry->d_name[0] != '.' ? 1U : 0U;
        ::closedir(folder);
        return count;
    }

    // User and system time so far (proc(5): the 14th and 15th field, behind the name in brackets).
    double cpu_seconds() const {
        const std::string stat = read_file(proc("stat"));
        std::istringstream fields(stat.substr(stat.rfind(')') + 2));
        std::string skipped;
        for (int i = 3; i < 14; ++i) fields >> skipped;
        double user = 0;
        double system = 0;
        fields >> user >> system;
        return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    }

    std::string proc(const std::string& name) const {
        return "/proc/" + std::to_string(process_->pid()) + "/" + name;
    }

private:
    void listen_on(std::uint16_t port) {
        std::string text = read_file(files_.config());
        text.replace(text.find("port: 0", text.find("listeners:")), 7,
                     "port: " + std::to_string(port));
        files_.dir().write("rotary.yaml", text);
    }
    std::uint16_t port_behind(const std::string& message) const {
        std::istringstream lines(process_->errors());
        for (std::string line; std::getline(lines, line);) {
            if (line.find(message) == std::string::npos) continue;
            return static_cast<std::uint16_t>(std::stoul(json_at(line, "port")));
        }
        ADD_FAILURE() << process_->errors();
        return 0;
    }

    GatewayFiles files_;
    std::optional<ChildProcess> process_;
};

}  // namespace rotary::test
