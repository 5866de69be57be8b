#include "served.hpp"

#include <support/loopback_port.hpp>

// `rotary init`: what it writes runs, and what it prints to be typed works as it stands.
namespace rotary::test {
namespace {

// The line of a text that begins so, behind its indentation.
std::string line_with(const std::string& text, const std::string& start) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t begin = line.find_first_not_of(' ');
        if (begin != std::string::npos && line.compare(begin, start.size(), start) == 0) {
            return line.substr(begin);
        }
    }
    return "";
}

ProcessOptions shell(const std::string& line) {
    ProcessOptions options;
    options.command = {"/bin/sh", "-c", line};
    return options;
}

TEST(Init, PrintedLineIsAnsweredByTheModelsInTheirTurn) {
    const auto mock = start_mock();
    const TempDir dir;
    const std::string folder = dir / "my gateway";
    std::uint16_t port = 0;
    {
        const LoopbackPort free;
        port = free.number();
    }
    std::uint16_t admin = 0;
    {
        const LoopbackPort free;
        admin = free.number();
    }
    ProcessOptions init;
    init.command = {ROTARY_BINARY,
                    "init",
                    "--dir",
                    folder,
                    "--provider-url",
                    mock->url() + "/v1",
                    "--openai-key-from",
                    "env:KEY_OF_THE_MOCK",
                    "--model",
                    "first=1",
                    "--model",
                    "second=1",
                    "--port",
                    std::to_string(port),
                    "--admin-port",
                    std::to_string(admin)};
    const ProcessResult made = run_process(init);
    ASSERT_EQ(made.status.code, 0) << made.errors;
    ASSERT_NE(line_with(made.output, "export KEY_OF_THE_MOCK="), "");

    ProcessOptions serve =
        shell("exec \"$ROTARY\" " + line_with(made.output, "rotary serve").substr(7));
    serve.environment = {{"ROTARY", ROTARY_BINARY}, {"KEY_OF_THE_MOCK", "sk-of-the-mock"}};
    ChildProcess gateway(serve);
    ASSERT_TRUE(gateway.wait_for_errors("admin listening", kPatience)) << gateway.errors();

    const std::string curl = line_with(made.output, "curl ");
    for (const char* model : {"first", "second"}) {
        const ProcessResult answer = run_process(shell(curl + " -sS"));
        EXPECT_EQ(answer.status.code, 0) << curl << answer.errors;
        EXPECT_EQ(json_at(answer.output, "model"), model) << answer.output;
    }
    const ProcessResult embedding =
        run_process(shell(curl.substr(0, curl.find("chat/completions")) + "embeddings" +
                          curl.substr(curl.find(" -H ")) + " -sS"));
    EXPECT_EQ(json_at(embedding.output, "error.code"), "route_not_found") << embedding.output;
    std::string strangers = curl + " -sS";
    strangers.insert(strangers.find("rk_") + 3, "x");
    const ProcessResult stranger = run_process(shell(strangers));
    EXPECT_EQ(json_at(stranger.output, "error.type"), "authentication_error") << stranger.output;

    gateway.signal(SIGTERM);
    const auto ended = gateway.wait(kPatience);
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->code, 0);
    EXPECT_EQ(run_process(init).status.code, 1) << "a second time";
}

}  // namespace
}  // namespace rotary::test
