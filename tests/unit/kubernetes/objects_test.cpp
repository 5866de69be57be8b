#include "kubernetes/api_status.hpp"
#include "kubernetes/kinds.hpp"
#include "kubernetes/line_reader.hpp"
#include "kubernetes/object_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::kubernetes {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Kind& kind_of(std::string_view name) {
    for (const Kind& kind : kinds()) {
        if (kind.name == name) return kind;
    }
    throw std::runtime_error("no such kind");
}

ObjectText read(const std::string& json) {
    const auto document = wire::JsonDocument::parse(json);
    auto text = object_text(document->root(), "v1", "Thing");
    return text ? *text : ObjectText();
}

TEST(KubernetesKinds, TargetsAreWhatTheApiTakes) {
    Selection selection{"team a", "app=x,tier!=y", "", 500};
    EXPECT_EQ(list_target(kind_of("API"), 0, selection, ""),
              "/apis/dp.wso2.com/v1alpha3/namespaces/team%20a/apis?limit=500"
              "&labelSelector=app%3Dx%2Ctier%21%3Dy");
    selection = {"", "", "metadata.name=mysecret", 500};
    EXPECT_EQ(list_target(secret_kind(), 0, selection, "a/b=="),
              "/api/v1/secrets?limit=500&fieldSelector=metadata.name%3Dmysecret"
              "&continue=a%2Fb%3D%3D");
    EXPECT_EQ(watch_target(kind_of("HTTPRoute"), 1, {"default"}, {"349", 300}),
              "/apis/gateway.networking.k8s.io/v1beta1/namespaces/default/httproutes"
              "?watch=1&allowWatchBookmarks=true&resourceVersion=349&timeoutSeconds=300");
}

TEST(KubernetesKinds, ARuleIsARolesText) {
    EXPECT_EQ(role_rule(kind_of("Backend"), ""),
              "{apiGroups: [\"dp.wso2.com\"], resources: [backends], verbs: [get, list, watch]}");
    EXPECT_EQ(role_rule(secret_kind(), "key"),
              "{apiGroups: [\"\"], resources: [secrets], resourceNames: [key], "
              "verbs: [list, watch]}");
}

TEST(KubernetesObjects, WhatTheServerKeepsForItselfIsLeftOut) {
    const ObjectText object = read(
        R"({"kind":"Other","metadata":{"name":"a","namespace":"n","uid":"u","resourceVersion":"7",)"
        R"("generation":3,"managedFields":[{}],"annotations":{"rotary/x":"1","other":"2"}},)"
        R"("spec":{"b":[1,true,null,"q\"\u003c"]},"status":{"c":1}})");
    EXPECT_EQ(object.name, "a");
    EXPECT_EQ(object.name_space, "n");
    EXPECT_EQ(object.uid, "u");
    EXPECT_EQ(object.resource_version, "7");
    EXPECT_EQ(object.text,
              R"({"apiVersion":"v1","kind":"Thing","metadata":{"name":"a","namespace":"n",)"
              R"("annotations":{"rotary/x":"1"}},"spec":{"b":[1,true,null,"q\"<"]}})");
}

TEST(KubernetesObjects, ATextIsReadAsTheLoaderReadsYaml) {
    const config::Node node = node_of(R"({"a":[1.50,"x",true,null],"b":{"c":"\u00e9"}})");
    ASSERT_EQ(node.kind, config::Node::Kind::map);
    const config::Node* list = node.find("a");
    ASSERT_NE(list, nullptr);
    ASSERT_EQ(list->items.size(), 4U);
    EXPECT_EQ(list->items[0].text, "1.50");
    EXPECT_EQ(list->items[2].text, "true");
    EXPECT_EQ(list->items[3].kind, config::Node::Kind::null);
    EXPECT_EQ(node.find("b")->find("c")->text, "\xC3\xA9");
    EXPECT_TRUE(node_of("{").members.empty());
}

TEST(KubernetesObjects, AnEditOfTheStatusIsNone) {
    ObjectSet set("Thing");
    EXPECT_TRUE(set.put(read(R"({"metadata":{"name":"a"},"spec":1})")));
    EXPECT_FALSE(set.put(read(R"({"metadata":{"name":"a","resourceVersion":"9"},"spec":1,)"
                              R"("status":{}})")));
    EXPECT_FALSE(
        set.put(read(R"({"metadata":{"name":"a","annotations":{"other":"x"}},"spec":1})")));
    EXPECT_TRUE(
        set.put(read(R"({"metadata":{"name":"a","annotations":{"rotary/x":"y"}},"spec":1})")));
    EXPECT_TRUE(set.put(read(R"({"metadata":{"name":"a"},"spec":2})")));
    EXPECT_TRUE(set.put(read(R"({"metadata":{"name":"a","uid":"new"},"spec":2})")));
    EXPECT_TRUE(set.remove(read(R"({"metadata":{"name":"a"}})")));
    EXPECT_FALSE(set.remove(read(R"({"metadata":{"name":"a"}})")));
}

TEST(KubernetesLines, ComeInPieces) {
    LineReader reader(8);
    std::vector<std::string> lines;
    const auto take = [&](std::string_view line) {
        lines.emplace_back(line);
        return true;
    };
    EXPECT_TRUE(reader.add("ab", take));
    EXPECT_TRUE(reader.add("c\nd\n\nef", take));
    EXPECT_TRUE(reader.has_rest());
    EXPECT_TRUE(reader.add("\n", take));
    EXPECT_FALSE(reader.has_rest());
    EXPECT_THAT(lines, ElementsAre("abc", "d", "", "ef"));
    EXPECT_TRUE(reader.add("12345678", take));
    EXPECT_TRUE(reader.add("\n", take));
    EXPECT_FALSE(reader.add("123456789", take));
    LineReader whole(8);
    EXPECT_FALSE(whole.add("123456789\n", take));
}

TEST(KubernetesLines, EnoughIsEnough) {
    LineReader reader(8);
    int count = 0;
    EXPECT_TRUE(reader.add("a\nb\nc\n", [&](std::string_view) { return ++count < 2; }));
    EXPECT_EQ(count, 2);
}

TEST(KubernetesStatus, SaysWhenToComeAgain) {
    ApiAnswer answer;
    answer.status = 429;
    answer.body = R"({"kind":"Status","code":429,"message":"storage is (re)initializing",)"
                  R"("details":{"retryAfterSeconds":2}})";
    EXPECT_EQ(ending_of(answer).retry_after, std::chrono::seconds(2));
    EXPECT_EQ(words_of(answer), "429 storage is (re)initializing");
    answer.body = "404 page not found\n";
    answer.status = 404;
    EXPECT_EQ(ending_of(answer).how, Ending::How::refused);
    EXPECT_EQ(words_of(answer), "404");
    answer.error = "read: end of stream";
    EXPECT_EQ(ending_of(answer).how, Ending::How::cut);
    EXPECT_THAT(words_of(answer), HasSubstr("end of stream"));
}

}  // namespace
}  // namespace rotary::kubernetes
