#include <rotary/tools/dev_certificates.hpp>
#include <rotary/wire/json_document.hpp>
#include <support/process.hpp>
#include <support/temp_dir.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace rotary::test {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

namespace fs = std::filesystem;

// The binary, its temporary files below `temporary`.
ProcessOptions demo(const TempDir& temporary, std::vector<std::string> arguments) {
    ProcessOptions options;
    options.command = {ROTARY_BINARY, "demo"};
    options.command.insert(options.command.end(), arguments.begin(), arguments.end());
    options.environment = {{"TMPDIR", temporary.path().string()}};
    return options;
}

unsigned mode_of(const fs::path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) throw std::runtime_error("no " + path.string());
    return status.st_mode & 0777U;
}

TEST(Demo, OnceTellsTheWholeStoryAndLeavesNothingBehind) {
    const TempDir temporary;
    const ProcessResult result =
        run_process(demo(temporary, {"--once", "--port", "0"}), seconds(60));

    EXPECT_EQ(result.status.code, 0) << result.output << result.errors;
    EXPECT_EQ(result.errors, "");
    EXPECT_THAT(result.output, Not(HasSubstr("FAILED")));
    EXPECT_THAT(result.output, Not(HasSubstr("\x1b["))) << "colours, and this is no terminal";
    for (const char* line : {
             "  ok all three refused, and no provider was asked\n",
             "  ok three models, three times each, in exact turns",
             "  ok the sandbox has gpt-4o at provider-2",
             "  ok event by event, by ",
             "  ok the provider said 429, the client got 200\n",
             "production  gpt-4o-mini  provider-1  suspended, rate_limited, ",
             "  ok suspended in production; the sandbox's entry",
             "  ok meanwhile the other two take turns\n",
             "  ok the first call after the suspension went to gpt-4o-mini",
             "  ok three calls, three models\n",
             "  ok answered until it was spent, to the nanodollar, then 429 without a provider\n",
             "  ok each got its own key alone, never the client's token\n",
             "All 8 steps happened.\n",
         }) {
        EXPECT_THAT(result.output, HasSubstr(line));
    }
    EXPECT_TRUE(fs::is_empty(temporary.path()));
}

TEST(Demo, ItsCurlLineWorksUntilItIsInterrupted) {
    const TempDir temporary;
    ChildProcess child(demo(temporary, {"--port", "0"}));
    ASSERT_TRUE(child.wait_for_output("\"content\": \"Hello\"}]}'\n", seconds(60)))
        << child.output() << child.errors();

    const fs::path folder = fs::directory_iterator(temporary.path())->path();
    EXPECT_EQ(mode_of(folder), 0700U);
    for (const auto& file : fs::directory_iterator(folder)) {
        EXPECT_EQ(mode_of(file), 0600U) << file.path();
    }

    const std::string output = child.output();
    const std::string command = "exec 2>&1; " + output.substr(output.find("curl -i "));
    for (int i = 0; i < 2; ++i) {
        const ProcessResult called = run_process({{"/bin/sh", "-c", command}, {}, {}});
        EXPECT_EQ(called.status.code, 0);
        EXPECT_THAT(called.output, HasSubstr("HTTP/1.1 200 "));
        EXPECT_THAT(called.output, HasSubstr("x-rotary-model: "));
        EXPECT_THAT(called.output, HasSubstr("\"chat.completion\""));
    }

    child.signal(SIGINT);
    const auto status = child.wait(seconds(10));
    ASSERT_TRUE(status);
    EXPECT_EQ(status->code, 0);
    EXPECT_TRUE(fs::is_empty(temporary.path()));
}

TEST(Demo, ASignalEndsItAtAnyTimeAndItCleansUp) {
    struct Row {
        const char* name;
        int signal;
        const char* at;  // the line that it waits for
    };
    for (const Row& row : {Row{"at the beginning", SIGTERM, "1  Who may call"},
                           Row{"in a stream", SIGINT, "\"The\""},
                           Row{"waiting for a return", SIGHUP, "waiting  "}}) {
        SCOPED_TRACE(row.name);
        const TempDir temporary;
        ChildProcess child(demo(temporary, {"--once", "--port", "0"}));
        ASSERT_TRUE(child.wait_for_output(row.at, seconds(60))) << child.errors();
        child.signal(row.signal);
        // Its own calls are given up with their connections: no drain waits for them (2 s).
        const auto status = child.wait(milliseconds(1500));
        ASSERT_TRUE(status);
        EXPECT_EQ(status->signal, 0);
        EXPECT_EQ(status->code, 1) << "the story was not told to its end";
        EXPECT_THAT(child.errors(), HasSubstr("stopped"));
        EXPECT_TRUE(fs::is_empty(temporary.path()));
    }
}

// The id of an entry, from the admin listener's list.
std::string id_of(const std::string& admin, std::string_view environment, std::string_view model) {
    const std::string text = run_process({{"/bin/sh", "-c", "curl -sS " + admin}, {}, {}}).output;
    const auto document = wire::JsonDocument::parse(text);
    const auto models = document ? document->root().find("models") : std::nullopt;
    if (!models) throw std::runtime_error("no list of models: " + text);
    for (const wire::JsonValue entry : models->elements()) {
        if (entry.find("env")->string() == environment && entry.find("model")->string() == model) {
            return std::string(entry.find("id")->string().value());
        }
    }
    throw std::runtime_error("no such entry in " + text);
}

// Somebody takes a model out by hand while the story is told, so a later step can't happen.
TEST(Demo, SaysWhatDidNotHappenAndFails) {
    const TempDir temporary;
    ChildProcess child(demo(temporary, {"--once", "--port", "0"}));
    ASSERT_TRUE(child.wait_for_output("\"The\"", seconds(60))) << child.errors();
    const std::string output = child.output();
    const std::size_t at = output.find("http://", output.find("admin "));
    const std::string admin = output.substr(at, output.find('\n', at) - at) + "/api/v1/models";
    const std::string id = id_of(admin, "production", "o1-mini");
    const ProcessResult changed = run_process(
        {{"/bin/sh", "-c", "curl -sS -i -X POST '" + admin + "/" + id + "/suspend' 2>&1"}, {}, {}});
    EXPECT_THAT(changed.output, HasSubstr("HTTP/1.1 200"));

    const auto status = child.wait(seconds(60));
    ASSERT_TRUE(status);
    EXPECT_EQ(status->code, 1) << child.output();
    EXPECT_THAT(child.output(), HasSubstr("  FAILED meanwhile the other two take turns\n"));
    EXPECT_THAT(child.output(), HasSubstr("expected: each model once in any 2 calls\n"));
    EXPECT_THAT(child.output(), HasSubstr("Not every step happened"));
    EXPECT_TRUE(fs::is_empty(temporary.path()));
}

TEST(Demo, SaysWhichPortIsTakenAndWhatToDo) {
    using boost::asio::ip::tcp;
    boost::asio::io_context io;
    const tcp::acceptor other(io, {tcp::v4(), 0});
    const std::string port = std::to_string(other.local_endpoint().port());
    const TempDir temporary;
    const ProcessResult result = run_process(demo(temporary, {"--once", "--port", port}));
    EXPECT_EQ(result.status.code, 3);
    EXPECT_THAT(result.errors, HasSubstr("127.0.0.1:" + port));
    EXPECT_THAT(result.errors, HasSubstr("--port"));
    EXPECT_TRUE(fs::is_empty(temporary.path()));
}

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Certificate read_certificate(const std::string& path) {
    const std::string pem = read_file(path);
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free_all);
    return {PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), &X509_free};
}

TEST(DevCertificates, AreForTheNamesOfTheDemoAndOfTheirAuthority) {
    const TempDir folder;
    const tools::DevCertificates made = tools::make_dev_certificates(folder.path().string());
    const Certificate server = read_certificate(made.certificate);
    const Certificate ca = read_certificate(made.ca);
    ASSERT_TRUE(server && ca);
    for (const char* name : {"localhost", "default.gw.wso2.com", "default.sandbox.gw.wso2.com"}) {
        EXPECT_EQ(X509_check_host(server.get(), name, 0, 0, nullptr), 1) << name;
    }
    for (const char* address : {"127.0.0.1", "::1"}) {
        EXPECT_EQ(X509_check_ip_asc(server.get(), address, 0), 1) << address;
    }
    EXPECT_EQ(X509_check_host(server.get(), "example.com", 0, 0, nullptr), 0);

    const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(),
                                                                        &X509_STORE_free);
    X509_STORE_add_cert(store.get(), ca.get());
    X509_STORE_set_flags(store.get(), X509_V_FLAG_X509_STRICT);
    const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> context(
        X509_STORE_CTX_new(), &X509_STORE_CTX_free);
    X509_STORE_CTX_init(context.get(), store.get(), server.get(), nullptr);
    X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_SERVER);
    EXPECT_EQ(X509_verify_cert(context.get()), 1)
        << X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
}

TEST(DevCertificates, NameTheFolderThatCanNotBeWritten) {
    try {
        tools::make_dev_certificates("/proc/no-such-folder");
        FAIL() << "nothing thrown";
    } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(), HasSubstr("/proc/no-such-folder"));
    }
}

}  // namespace

}  // namespace rotary::test
