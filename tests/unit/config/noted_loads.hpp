#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <rotary/config/load.hpp>

#include "config/schema/json_value.hpp"

namespace rotary::config {

inline JsonValue noted_text(const SourceText& source) {
    JsonValue value;
    value.add("file", JsonValue::string(source.file)).add("text", JsonValue::string(source.text));
    return value;
}

// Writes what a test has loaded, and what was found, to a file of its own in the folder that
// ROTARY_NOTED_LOADS names: tests/editors compare it with what the schema says. Without that
// variable it does nothing.
inline void note_load(const SourceText& process, const std::vector<SourceText>& resources,
                      const Loaded& loaded) {
    const char* folder = std::getenv("ROTARY_NOTED_LOADS");
    if (folder == nullptr) {
        return;
    }
    JsonValue texts = JsonValue::list();
    for (const SourceText& source : resources) {
        texts.push(noted_text(source));
    }
    const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
    JsonValue note;
    note.add("test", JsonValue::string(std::string(test->test_suite_name()) + "." + test->name()));
    note.add("process", noted_text(process));
    note.add("resources", std::move(texts));
    note.add("findings", JsonValue::raw(to_json(loaded.findings)));
    std::string json;
    note.print(json);
    static std::size_t count = 0;
    std::ofstream out(std::string(folder) + "/" + std::to_string(++count) + ".json");
    out << json << '\n';
    EXPECT_TRUE(out.flush()) << folder;
}

}  // namespace rotary::config
