// CustomResourceDefinitions, made of what the readers take. tests/kubernetes give them to a real
// API server.
#include <rotary/config/schema/schema.hpp>

#include "config/schema/crd_fields.hpp"
#include "config/schema/json_value.hpp"
#include "config/yaml/scalars.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace rotary::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string yaml(const JsonValue& value) {
    std::string out;
    value.print_yaml(out);
    return out;
}

std::string schema(const Shape& shape) { return yaml(structural_schema(shape, "Kind", "spec")); }

Shape of(Shape::Kind kind) {
    Shape shape;
    shape.kind = kind;
    return shape;
}

TEST(Definitions, TheShippedOnesAreCurrent) {
    const std::string folder = std::string(ROTARY_SOURCE_DIR) + "/deploy/crds";
    std::vector<std::string> wanted;
    for (const std::string& group : definable_groups()) {
        std::ifstream in(folder + "/" + group + ".yaml");
        const std::string text{std::istreambuf_iterator<char>(in), {}};
        EXPECT_EQ(text, resource_definitions(group))
            << "make it anew with `rotary schema crds --group " << group << "`";
        wanted.push_back(group + ".yaml");
    }
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() == ".yaml") {
            found.push_back(entry.path().filename());
        }
    }
    EXPECT_THAT(found, testing::UnorderedElementsAreArray(wanted));
}

TEST(Definitions, AreOfOwnGroupsAlone) {
    EXPECT_THAT(definable_groups(), ElementsAre("dp.wso2.com", "cp.wso2.com", "rotary.dev"));
    EXPECT_THAT(resource_definitions("gateway.networking.k8s.io"), IsEmpty());
    EXPECT_THAT(resource_definitions(""), IsEmpty());
}

std::size_t count(const std::string& text, std::string_view part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++found;
    }
    return found;
}

TEST(Definitions, AKindHasItsNewestVersionAlone) {
    const std::string text = resource_definitions("dp.wso2.com");
    EXPECT_THAT(text, HasSubstr("name: \"apipolicies.dp.wso2.com\""));
    EXPECT_EQ(count(text, "served: true"), count(text, "kind: \"CustomResourceDefinition\""));
    EXPECT_EQ(count(text, "name: \"v1alpha4\""), 2U) << "of APIPolicy and AIProvider";
    EXPECT_EQ(count(text, "name: \"v1alpha1\""), 1U) << "of Scope";
}

TEST(StructuralSchema, SaysOfAValueWhatItsReaderDoes) {
    Shape text = of(Shape::Kind::text);
    text.text = {.min = 8, .max = 63, .fits = is_token};
    EXPECT_EQ(schema(text),
              "type: \"string\"\nminLength: 1\nmaxLength: 63\n"
              "pattern: \"^[!#$%&'*+.^_`|~0-9A-Za-z-]*$\"\n");
    Shape number = of(Shape::Kind::number);
    number.number = {.min = 0, .max = 99};
    EXPECT_EQ(schema(number), "type: \"integer\"\nformat: \"int64\"\nminimum: 0\nmaximum: 99\n");
    EXPECT_EQ(schema(of(Shape::Kind::flag)), "type: \"boolean\"\n");
    EXPECT_EQ(schema(of(Shape::Kind::duration)), "x-kubernetes-int-or-string: true\n");
    Shape choice = of(Shape::Kind::choice);
    choice.choices = {"Header", "Query"};
    EXPECT_EQ(schema(choice), "type: \"string\"\nenum:\n  - \"Header\"\n  - \"Query\"\n");
}

TEST(StructuralSchema, ListsAndMappingsSayWhatIsInThem) {
    Shape list = of(Shape::Kind::list);
    list.list = {.min = 1, .max = 16};
    Shape& item = list.item.emplace_back(of(Shape::Kind::object));
    item.visits = 2;
    item.field("host") = of(Shape::Kind::text);
    item.field("host").times_required = 2;
    item.field("port") = of(Shape::Kind::number);
    EXPECT_EQ(schema(list),
              "type: \"array\"\nminItems: 1\nmaxItems: 16\nitems:\n  type: \"object\"\n"
              "  required:\n    - \"host\"\n  properties:\n    host:\n      type: \"string\"\n"
              "    port:\n      type: \"integer\"\n      format: \"int64\"\n");
}

// An API server takes away what its schema doesn't name; of these fields the gateway has something
// to say.
TEST(StructuralSchema, WhatIsKnownAndNotServedIsKept) {
    Shape object = of(Shape::Kind::object);
    object.visits = 1;
    object.field("mtls").note = "clients' certificates are not verified";
    EXPECT_EQ(schema(object),
              "type: \"object\"\nproperties:\n  mtls:\n"
              "    description: \"Not served: clients' certificates are not verified.\"\n"
              "    x-kubernetes-preserve-unknown-fields: true\n");
}

TEST(StructuralSchema, WhatMayBeWrittenInTwoWaysIsKept) {
    constexpr const char* kKept = "x-kubernetes-preserve-unknown-fields: true\n";
    Shape two = of(Shape::Kind::list);
    two.item.emplace_back(of(Shape::Kind::text));
    two.others.emplace_back(of(Shape::Kind::object));
    EXPECT_EQ(schema(two), kKept);
    Shape loose = of(Shape::Kind::text);
    loose.is_loose = true;
    EXPECT_EQ(schema(loose), kKept);
    EXPECT_EQ(schema(of(Shape::Kind::pairs)), kKept);
}

TEST(JsonValueAsYaml, NestsByTwoSpaces) {
    JsonValue inner;
    inner.add("a", JsonValue::raw("1")).add("b", JsonValue::list());
    JsonValue list = JsonValue::list();
    list.push(JsonValue::string("x: \"y\"\n")).push(std::move(inner)).push({});
    JsonValue nested = JsonValue::list();
    nested.push(JsonValue::list().push(JsonValue::raw("true")));
    JsonValue root;
    root.add("list", std::move(list)).add("nested", std::move(nested));
    EXPECT_EQ(yaml(root),
              "list:\n  - \"x: \\\"y\\\"\\n\"\n  - a: 1\n    b: []\n  - {}\n"
              "nested:\n  - - true\n");
}

}  // namespace
}  // namespace rotary::config
