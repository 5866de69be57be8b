#include <app/command_line.hpp>

#include <csignal>

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);  // a peer that went away is an error code, not a death
    std::signal(SIGUSR1, SIG_IGN);  // until the server takes it: log rotation must end nothing
    std::signal(SIGUSR2, SIG_IGN);
    return rotary::app::run_command_line({argv + 1, argv + argc});
}
