#include "served.hpp"

#include <support/certificates.hpp>
#include <support/process.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

// What the program says to whoever operates it when files, ports and words are wrong, and what it
// does at the signals of log rotation.
namespace rotary::test {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

ProcessResult rotary(const Arguments& arguments) {
    ProcessOptions options;
    options.command = {ROTARY_BINARY};
    options.command.insert(options.command.end(), arguments.begin(), arguments.end());
    return run_process(options);
}

// By another user, when this one is root, whom no mode keeps out.
ProcessResult rotary_unprivileged(const Arguments& arguments) {
    ProcessOptions options;
    if (::geteuid() == 0) {
        options.command = {"/usr/bin/setpriv", "--reuid=65532", "--regid=65532", "--clear-groups",
                           "--inh-caps=-all"};
    }
    options.command.emplace_back(ROTARY_BINARY);
    options.command.insert(options.command.end(), arguments.begin(), arguments.end());
    return run_process(options);
}

GatewayOptions with_certificate(const PemFiles& files) {
    const auto mock = start_mock();
    GatewayOptions options = in_front_of(*mock);
    options.certificate = files.certificate;
    options.key = files.key;
    return options;
}

TEST(Operator, ANearMissOfACommandIsTold) {
    const std::pair<const char*, const char*> words[] = {
        {"chekc", "did you mean \"check\"?"},
        {"server", "did you mean \"serve\"?"},
        {"Token", "did you mean \"token\"?"},
        {"frobnicate", "the commands are init, serve, check, "},
    };
    for (const auto& [word, said] : words) {
        const ProcessResult result = rotary({word, "-c", "x"});
        EXPECT_EQ(result.status.code, 2) << word;
        EXPECT_EQ(result.output, "") << word;
        EXPECT_THAT(result.errors,
                    testing::HasSubstr("there is no command \"" + std::string(word) + "\""));
        EXPECT_THAT(result.errors, testing::HasSubstr(said));
    }
}

TEST(Operator, TheVersionIsThereInThreeWays) {
    const ProcessResult plain = rotary({"version"});
    const ProcessResult flag = rotary({"--version"});
    EXPECT_EQ(flag.status.code, 0);
    EXPECT_EQ(flag.output, plain.output);
    EXPECT_EQ(flag.errors, "");
    const ProcessResult json = rotary({"version", "--json"});
    EXPECT_EQ(json.status.code, 0);
    EXPECT_THAT(json_keys(json.output, ""),
                testing::IsSupersetOf({"version", "revision", "compiler", "openssl"}));
}

TEST(Operator, AKeyThatIsNoneForItsCertificateIsNamed) {
    const PemFiles mixed{certificates().server.certificate, certificates().wrong_host.key};
    const GatewayFiles files(with_certificate(mixed));
    for (const char* command : {"check", "serve"}) {
        const ProcessResult result = rotary({command, "-c", files.config()});
        EXPECT_EQ(result.status.code, 1) << command;
        EXPECT_THAT(result.output + result.errors,
                    testing::HasSubstr("error: listeners[0].tls.key: " + mixed.key +
                                       ": it does not belong to the certificate (certificate: " +
                                       mixed.certificate + ")\n"));
    }
}

TEST(Operator, ACertificateOutOfItsTimeIsFoundByCheck) {
    const std::pair<const PemFiles*, const char*> rows[] = {
        {&certificates().expired, ": the certificate has expired on "},
        {&certificates().not_yet, ": the certificate is not valid before "},
    };
    for (const auto& [files, said] : rows) {
        const GatewayFiles written(with_certificate(*files));
        const ProcessResult result = rotary({"check", "-c", written.config()});
        EXPECT_EQ(result.status.code, 1);
        EXPECT_THAT(
            result.output,
            testing::HasSubstr("listeners[0].tls.certificate: " + files->certificate + said));
    }
}

TEST(Operator, AFileThatMayNotBeReadIsToldWithUserAndMode) {
    const TempDir folder;
    const std::string key = folder.write("tls.key", read_file(certificates().server.key));
    const std::string certificate =
        folder.write("tls.crt", read_file(certificates().server.certificate));
    const GatewayFiles files(with_certificate({certificate, key}));
    const bool is_root = ::geteuid() == 0;
    for (const fs::path& open : {files.dir().path(), folder.path()}) {
        fs::permissions(open, fs::perms(0755));
    }
    ASSERT_EQ(::chmod(key.c_str(), is_root ? 0600 : 0), 0);
    const ProcessResult result = rotary_unprivileged({"check", "-c", files.config()});
    EXPECT_EQ(result.status.code, 1);
    EXPECT_THAT(result.output,
                testing::HasSubstr("listeners[0].tls.key: " + key + " can't be read by the user " +
                                   (is_root ? "65532" : std::to_string(::geteuid())) +
                                   ": Permission denied (it belongs to the user " +
                                   std::to_string(::geteuid())));
    EXPECT_THAT(result.output, testing::HasSubstr(is_root ? "mode 0600)" : "mode 0000)"));
}

// Serves with this port in place of the first "port: 0" behind that word; what it says.
ProcessResult serve_on(const char* group, const std::string& address, const std::string& port) {
    const auto mock = start_mock();
    const GatewayFiles files(in_front_of(*mock));
    std::string text = read_file(files.config());
    const std::size_t at = text.find("address: 127.0.0.1, port: 0", text.find(group));
    text.replace(at, 27, "address: " + address + ", port: " + port);
    files.dir().write("rotary.yaml", text);
    fs::permissions(files.dir().path(), fs::perms(0755));
    return rotary({"serve", "-c", files.config()});
}

TEST(Operator, APortInUseIsToldInPlainWords) {
    const auto taken = start_mock();
    const std::string port = std::to_string(taken->port());
    for (const char* group : {"listeners:", "admin:"}) {
        const ProcessResult result = serve_on(group, "127.0.0.1", port);
        EXPECT_EQ(result.status.code, 3) << result.errors;
        EXPECT_THAT(result.errors,
                    testing::HasSubstr("rotary: not started: cannot listen on 127.0.0.1:" + port +
                                       ": Address already in use\n"));
        EXPECT_THAT(result.errors, testing::Not(testing::HasSubstr("asio")));
    }
    EXPECT_THAT(serve_on("listeners:", "192.0.2.1", port).errors,
                testing::HasSubstr("cannot listen on 192.0.2.1:" + port +
                                   ": Cannot assign requested address\n"));
}

std::size_t lines_in(const std::string& path) {
    std::ifstream file(path);
    std::size_t count = 0;
    for (std::string line; std::getline(file, line);) ++count;
    return count;
}

TEST(Operator, LogFilesAreReopenedAtSigusr1AndSigusr2DoesNothing) {
    const auto mock = start_mock();
    const TempDir folder;
    const std::string access = folder / "access.log";
    Served::Options options;
    options.gateway = with_process("timeouts: {log_flush: 20ms}\n");
    options.output = access;
    Served served(*mock, options);
    ChildProcess& process = served.process();
    const ClientOptions client = served.client();
    ASSERT_EQ(fetch(client, chat()).status, 200U);
    ASSERT_TRUE(eventually([&] { return lines_in(access) == 1; }));
    fs::rename(access, access + ".1");
    process.signal(SIGUSR2);
    process.signal(SIGUSR1);
    ASSERT_TRUE(process.wait_for_errors("log file reopened", kPatience));
    ASSERT_EQ(fetch(client, chat()).status, 200U);
    EXPECT_TRUE(eventually([&] { return lines_in(access) == 1; }));
    EXPECT_EQ(lines_in(access + ".1"), 1U) << "nothing is written there any more";
    process.signal(SIGTERM);
    const auto status = process.wait(kPatience);
    ASSERT_TRUE(status.has_value());
    EXPECT_EQ(status->code, 0);
}

// The access log in a file of its own: moved away it loses no line; without its folder the gateway
// serves on, tells, and writes on where it wrote.
TEST(Operator, TheAccessLogHasAFileOfItsOwn) {
    const auto mock = start_mock();
    const TempDir folder;
    fs::create_directory(folder / "logs");
    const std::string access = folder / "logs/access.log";
    Served::Options options;
    options.gateway =
        with_process("timeouts: {log_flush: 20ms}\nlog: {access_file: " + access + "}\n");
    Served served(*mock, options);
    ChildProcess& process = served.process();
    std::atomic<bool> stops = false;
    std::atomic<std::size_t> answered = 0;
    std::thread caller([&, client = served.client()] {
        while (!stops) answered += fetch(client, chat()).status == 200 ? 1 : 0;
    });
    for (const char* name : {".1", ".2", ".3"}) {
        EXPECT_TRUE(eventually([&] { return lines_in(access) >= 2; }));
        fs::rename(access, access + name);
        process.signal(SIGUSR1);
        EXPECT_TRUE(eventually([&] { return fs::exists(access); }));
    }
    EXPECT_TRUE(eventually([&] { return lines_in(access) >= 2; }));
    fs::rename(folder / "logs", folder / "gone");
    process.signal(SIGUSR1);
    EXPECT_TRUE(process.wait_for_errors("log file can't be reopened", kPatience));
    const std::size_t before = answered;
    EXPECT_TRUE(eventually([&] { return answered > before + 1; })) << "it serves on";
    stops = true;
    caller.join();
    process.signal(SIGTERM);
    ASSERT_TRUE(process.wait(kPatience).has_value());
    std::size_t lines = 0;
    for (const char* name : {"", ".1", ".2", ".3"}) {
        lines += lines_in(folder / "gone/access.log" + name);
    }
    EXPECT_EQ(lines, answered) << "no line is lost, none is there twice";
    EXPECT_EQ(process.output().find("start_time"), std::string::npos);
}

TEST(Operator, AnAccessLogThatTakesNothingIsCountedAndTold) {
    const auto mock = start_mock();
    Served::Options options;
    options.gateway = with_process("timeouts: {log_flush: 20ms}\nlog: {access_file: /dev/full}\n");
    Served served(*mock, options);
    ASSERT_EQ(fetch(served.client(), chat()).status, 200U);
    EXPECT_TRUE(served.process().wait_for_errors("access log lines were dropped", kPatience));
    EXPECT_EQ(served.metric("rotary_access_log_dropped_lines_total"), 1.0);
    EXPECT_EQ(fetch(served.client(), chat()).status, 200U);
    served.process().signal(SIGTERM);
    const auto status = served.process().wait(kPatience);
    ASSERT_TRUE(status.has_value());
    EXPECT_EQ(status->code, 0);
}

}  // namespace
}  // namespace rotary::test
