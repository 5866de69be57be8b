// The schema, recorded from the readers: what it says is what they do.
#include <rotary/config/schema/schema.hpp>

#include "config/schema/json_value.hpp"
#include "config/schema/shapes.hpp"

#include <rotary/config/settings/setting_keys.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

namespace rotary::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string file(const std::string& name) {
    std::ifstream in(std::string(ROTARY_SOURCE_DIR) + "/config/" + name);
    return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Schema, TheShippedOnesAreCurrent) {
    constexpr const char* kHow = "make it anew with `rotary schema`";
    EXPECT_EQ(file("schema/rotary.json"), settings_schema()) << kHow;
    EXPECT_EQ(file("schema/resources.json"), resources_schema()) << kHow;
    EXPECT_EQ(file("REFERENCE.md"), reference()) << kHow;
}

// Whether the readers ask for that path, through lists and what else may stand there.
bool has_field(const Shape& shape, std::string_view path) {
    if (path.empty()) return true;
    for (const auto* parts : {&shape.item, &shape.others}) {
        for (const Shape& part : *parts) {
            if (has_field(part, path)) return true;
        }
    }
    const std::size_t dot = std::min(path.find('.'), path.size());
    const std::string_view rest = path.substr(std::min(dot + 1, path.size()));
    if (!shape.named.empty() && path.substr(0, dot) == "NAME") {
        return has_field(shape.named.front(), rest);
    }
    const Shape* field = shape.find(path.substr(0, dot));
    return field != nullptr && has_field(*field, rest);
}

TEST(FieldWords, AreOfFieldsThatThereAre) {
    const std::vector<KindShape> kinds = kind_shapes();
    const Shape settings = settings_shape();
    const auto is_read = [&](std::string_view kind, std::string_view path) {
        if (kind == kShortForm) return has_field(settings, path);
        return std::any_of(kinds.begin(), kinds.end(), [&](const KindShape& one) {
            return (kind.empty() || one.name == kind) && has_field(one.shape, path);
        });
    };
    EXPECT_TRUE(is_read("HTTPRoute", "spec.rules.matches.path"));
    EXPECT_FALSE(is_read("HTTPRoute", "spec.rules.matches.pth"));
    EXPECT_TRUE(is_read(kShortForm, "providers.NAME.url"));
    EXPECT_FALSE(is_read(kShortForm, "providers.NAME.uri"));
    EXPECT_FALSE(is_read("", "spec.rules.matches.path.value.more"));
    std::set<std::pair<std::string_view, std::string_view>> seen;
    for (const auto& [kind, path] : fields_with_words()) {
        EXPECT_TRUE(is_read(kind, path)) << kind << " " << path << " is no field";
        EXPECT_TRUE(seen.emplace(kind, path).second) << kind << " " << path << " stands twice";
    }
}

TEST(SettingsShape, HasEveryKeyAndItsBounds) {
    const Shape shape = settings_shape();
    const Shape* limits = shape.find("limits");
    ASSERT_NE(limits, nullptr);
    for (const LimitKey& key : limit_keys()) {
        SCOPED_TRACE(key.name);
        const Shape* found = limits->find(key.name);
        ASSERT_NE(found, nullptr);
        EXPECT_EQ(found->number.min, static_cast<long long>(key.minimum));
        EXPECT_EQ(found->number.max, static_cast<long long>(key.maximum));
    }
    for (const OtherKey& key : other_keys()) {
        const Shape* place = &shape;
        std::istringstream names(key.name);
        for (std::string name; std::getline(names, name, '.');) {
            const Shape* found = place->find(name);
            if (found == nullptr && !place->item.empty()) found = place->item.front().find(name);
            ASSERT_NE(found, nullptr) << key.name;
            place = found;
        }
    }
    EXPECT_TRUE(shape.find("listeners")->is_required(shape));
    EXPECT_FALSE(shape.find("workers")->is_required(shape));
}

TEST(SettingsShape, EveryLeafHasADefaultInTheSample) {
    const Shape shape = settings_shape();
    for (const char* group : {"routing", "limits", "timeouts", "quotas", "usage", "log"}) {
        for (const auto& [name, field] : shape.find(group)->fields) {
            const SettingWords words = setting_words(std::string(group) + "." + name);
            EXPECT_NE(words.usual, "") << group << "." << name;
        }
    }
    const SettingWords attempts = setting_words("routing.max_attempts");
    EXPECT_EQ(attempts.usual, "3");
    EXPECT_THAT(attempts.description, HasSubstr("tries for one request"));
    EXPECT_THAT(attempts.description, HasSubstr("don't count"));  // of the line below
    EXPECT_EQ(setting_words("listeners[].port").usual, "9095");
    EXPECT_EQ(setting_words("no.such.key").usual, "");
}

const Shape& at(const Shape& shape, const std::string& path) {
    const Shape* place = &shape;
    std::istringstream names(path);
    for (std::string name; std::getline(names, name, '.');) {
        const Shape* found = place->find(name);
        if (found == nullptr && !place->item.empty()) found = place->item.front().find(name);
        if (found == nullptr) throw std::runtime_error("there is no " + path);
        place = found;
    }
    return *place;
}

TEST(KindShapes, EveryWayOfAReaderIsRecorded) {
    std::set<std::string> names;
    for (const KindShape& kind : kind_shapes()) {
        names.insert(kind.name);
        if (kind.name == "HTTPRoute") {
            // Which of the two there is depends on a field beside them.
            const Shape& path = at(kind.shape, "spec.rules.filters.urlRewrite.path");
            for (const char* field : {"replaceFullPath", "replacePrefixMatch"}) {
                ASSERT_NE(path.find(field), nullptr) << field;
                EXPECT_FALSE(path.find(field)->is_required(path)) << field;
            }
            EXPECT_TRUE(path.find("type")->is_required(path));
        }
        if (kind.name == "AIProvider") {
            // Another one in each version.
            const Shape& spec = at(kind.shape, "spec");
            EXPECT_FALSE(at(spec, "model").is_required(spec));
            EXPECT_FALSE(at(spec, "requestModel").is_required(spec));
            EXPECT_TRUE(at(spec, "providerName").is_required(spec));
            EXPECT_THAT(at(spec, "requestModel.in").choices,
                        ElementsAre("Body", "Header", "Query", "Path"));
        }
    }
    EXPECT_EQ(names.size(), 17U);
}

TEST(SettingsShape, HasTheShortForm) {
    const Shape shape = settings_shape();
    const Shape* providers = shape.find("providers");
    ASSERT_NE(providers, nullptr);
    ASSERT_EQ(providers->named.size(), 1U);
    const Shape& provider = providers->named.front();
    EXPECT_TRUE(at(provider, "url").is_required(provider));
    EXPECT_FALSE(at(provider, "key").is_required(provider));
    EXPECT_EQ(at(provider, "format").choices.front(), "openai");
    const Shape& api = shape.find("apis")->item.front();
    EXPECT_TRUE(at(api, "path").is_required(api));
    EXPECT_TRUE(at(api, "production").is_required(api));
    EXPECT_FALSE(at(api, "sandbox").is_required(api));
    const Shape& entry = at(api, "production.models").item.front();
    EXPECT_FALSE(at(entry, "provider").is_required(entry)) << "there may be one only";
    EXPECT_TRUE(at(entry, "model").is_required(entry));
    EXPECT_EQ(at(api, "production").others.size(), 1U)
        << "a list, or a mapping of hosts and models";
    EXPECT_THAT(at(api, "production.models.endpoints").item.front().choices,
                testing::Contains("embeddings"));
    EXPECT_EQ(at(api, "keys").named.front().others.front().kind, Shape::Kind::list);
    for (const char* path : {"providers.NAME.url", "apis[].path", "apis[].production[].model",
                             "apis[].sandbox.models[].weight"}) {
        EXPECT_NE(setting_words(path).description, "") << path;
    }
}

TEST(Schema, TellsBoundsUnitsAndDefaults) {
    const std::string text = settings_schema();
    for (const char* said :
         {R"(Value: 1 to 64.\n\nDefault: 3.")", R"( bytes.\n\nDefault: 10485760.")",
          R"(Value: 10ms to 1m.\n\nDefault: 1s.")", R"("minimum": 0.010)"}) {
        EXPECT_THAT(text, HasSubstr(said));
    }
    EXPECT_THAT(resources_schema(), HasSubstr(R"("dp.wso2.com/v1alpha4")"));
}

TEST(UnitOf, IsTheEndOfAName) {
    EXPECT_EQ(unit_of("limits.body_bytes"), "bytes");
    EXPECT_EQ(unit_of("routing.retry_budget_percent"), "percent");
    EXPECT_EQ(unit_of("limits.turn_microseconds"), "microseconds");
    EXPECT_EQ(unit_of("apis[].suspend_seconds"), "seconds");
    EXPECT_EQ(unit_of("spec.retry.baseIntervalMillis"), "milliseconds");
    EXPECT_EQ(unit_of("workers"), "");
}

TEST(FieldWords, AreFoundByKindAndPath) {
    EXPECT_EQ(field_words("API", "spec.basePath"),
              "What all its paths begin with, the version included.");
    EXPECT_EQ(field_words("Backend", "metadata.name"), field_words("API", "metadata.name"));
    EXPECT_EQ(field_words("HTTPRoute", "spec.rules[].matches"),
              field_words("HTTPRoute", "spec.rules.matches"));
    EXPECT_EQ(field_words("API", "spec.nothing"), "");
}

TEST(JsonValue, PrintsForPeople) {
    JsonValue value;
    value.add("a\"b", JsonValue::list().push(JsonValue::raw("1")).push(JsonValue::string("x")));
    value.add("none", JsonValue());
    std::string out;
    value.print(out);
    EXPECT_EQ(out, "{\n  \"a\\\"b\": [\n    1,\n    \"x\"\n  ],\n  \"none\": {}\n}");
}

}  // namespace
}  // namespace rotary::config
