#pragma once

#include <rotary/base/log.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>

namespace rotary::test {

// A log, and what was said to it.
class LoggedLines {
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    const std::unique_ptr<std::FILE, Close> file_{std::tmpfile()};

public:
    // How many of its lines have that text.
    std::size_t count(const std::string& text) {
        EXPECT_TRUE(log.flush(std::chrono::seconds(10)));
        std::rewind(file_.get());
        std::size_t lines = 0;
        char line[1024];
        while (std::fgets(line, sizeof line, file_.get()) != nullptr) {
            if (std::string(line).find(text) != std::string::npos) ++lines;
        }
        return lines;
    }

    Logger log{LogLevel::info, LogFormat::json, fileno(file_.get())};
};

}  // namespace rotary::test
