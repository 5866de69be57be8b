#include <rotary/config/objects.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace rotary::config {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// rotary.yaml in a folder of its own, and objects that are in no file.
class ObjectsTest : public testing::Test {
protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("rotary-objects-" + std::to_string(getpid()));
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    std::string write(const std::string& more) const {
        const std::string path = (folder_ / "rotary.yaml").string();
        std::ofstream(path) << "listeners: [{port: 1, plaintext: true}]\n" << more;
        return path;
    }
    std::string mistakes(const std::string& more) const {
        return to_text(load(write(more), {}).findings);
    }
    static ObjectDocument document(const std::string& name, const std::string& yaml) {
        std::vector<Finding> findings;
        std::string unread;
        return {name, yaml, parse_yaml(name, yaml, findings, unread).at(0).root};
    }
    LoadedObjects load_them() {
        Objects objects;
        objects.each = [this](const std::function<void(const ObjectDocument&)>& visit) {
            for (const auto& [name, yaml] : objects_) visit(document(name, yaml));
        };
        objects.find = [this](const NamedObject& wanted) -> std::optional<ObjectDocument> {
            const auto found = named_.find(wanted.name);
            if (found == named_.end()) return std::nullopt;
            return document("Secret " + wanted.name, found->second);
        };
        return load_objects(
            write("kubernetes: {namespace: default}\n"),
            [](std::string_view name) {
                return name == "HOME" ? std::optional<std::string>("/root") : std::nullopt;
            },
            {}, objects);
    }

    fs::path folder_;
    std::map<std::string, std::string> objects_;
    std::map<std::string, std::string> named_;
};

std::string backend(const std::string& name, const std::string& secret) {
    return "apiVersion: dp.wso2.com/v1alpha2\nkind: Backend\nmetadata: {name: " + name +
           ", namespace: team}\nspec: {services: [{host: 127.0.0.1, port: 1}], protocol: http, "
           "basePath: \"/${HOME}\", security: {apiKey: {in: Header, name: x, valueFrom: {name: " +
           secret + ", valueKey: k}}}}\n";
}

std::string secret(const std::string& name) {
    return "apiVersion: v1\nkind: Secret\nmetadata: {name: " + name +
           ", namespace: team}\nstringData: {k: v}\n";
}

// Those who may write objects are not those who may read this machine's files.
TEST_F(ObjectsTest, NameNoFileOfThisMachine) {
    const std::string path = (folder_ / "theirs").string();
    std::ofstream(path) << "sk-theirs";
    objects_["Backend team/b"] = backend("b", "s");
    objects_["TokenIssuer team/t"] =
        "apiVersion: dp.wso2.com/v1alpha2\nkind: TokenIssuer\nmetadata: {name: t, namespace: "
        "team}\n"
        "spec: {name: t, organization: default, issuer: https://i, signatureValidation: {jwks: "
        "{url: "
        "\"file:" +
        path +
        "\"}}, targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: "
        "wso2-apk-default}}\n";
    named_["team/s"] =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: team}\nfile: {k: " + path +
        "}\n";
    const LoadedObjects made = load_them();
    const std::string findings = to_text(made.loaded.findings);
    EXPECT_THAT(findings, HasSubstr("TokenIssuer team/t"));
    EXPECT_THAT(findings, HasSubstr("jwks.url: an object may not name a file"));
    EXPECT_THAT(findings, HasSubstr("file: an object may not name a file"));
    EXPECT_EQ(made.loaded.named_files.count(path), 0u);
    EXPECT_THAT(made.loaded.files, testing::Not(testing::Contains(path)));
}

TEST_F(ObjectsTest, AreReadAsTheyStandWithWhatTheyReferTo) {
    objects_["Backend team/b"] = backend("b", "s");
    named_["team/s"] = secret("s");
    named_["team/other"] = secret("other");
    const LoadedObjects made = load_them();
    EXPECT_TRUE(made.loaded.ok()) << to_text(made.loaded.findings);
    ASSERT_EQ(made.loaded.resources.backends.size(), 1U);
    EXPECT_EQ(made.loaded.resources.backends[0].base_path, "/${HOME}");
    ASSERT_EQ(made.loaded.resources.secrets.size(), 1U);
    EXPECT_EQ(made.loaded.resources.secrets[0].metadata.name, "team/s");
    ASSERT_EQ(made.referred.size(), 1U);
    EXPECT_EQ(made.referred[0].name, "team/s");
}

TEST_F(ObjectsTest, AFindingNamesTheObjectAndTheField) {
    objects_["Backend team/b"] = backend("b", "missing");
    const LoadedObjects made = load_them();
    EXPECT_THAT(to_text(made.loaded.findings),
                testing::ContainsRegex("Backend team/b:[0-9:]* error: "
                                       "spec.security.apiKey.valueFrom.name: "
                                       "there is no Secret \"team/missing\""));
    EXPECT_EQ(made.referred.size(), 1U);
}

TEST_F(ObjectsTest, AnEditIsAnotherFingerprint) {
    objects_["Backend team/b"] = backend("b", "s");
    named_["team/s"] = secret("s");
    const std::string before = load_them().loaded.fingerprint;
    EXPECT_EQ(load_them().loaded.fingerprint, before);
    named_["team/s"] += "# edited\n";
    EXPECT_NE(load_them().loaded.fingerprint, before);
}

TEST_F(ObjectsTest, OneSourceOfResourcesIsEnough) {
    for (const char* other : {"resources: []", "providers: {}", "apis: []"}) {
        EXPECT_THAT(mistakes("kubernetes: {}\n" + std::string(other) + "\n"),
                    HasSubstr("stands beside kubernetes (line 2)"))
            << other;
    }
    EXPECT_EQ(mistakes("kubernetes: {}\n").find("error"), std::string::npos);
}

TEST_F(ObjectsTest, MistakesOfTheSettings) {
    const struct {
        const char* said;
        const char* words;
    } rows[] = {
        {"namespace: a, namespaces: [b]", "kubernetes.namespaces: stands beside"},
        {"namespaces: [\"*\", b]", "kubernetes.namespaces: holds \"*\""},
        {"namespace: A", "kubernetes.namespace: must be a namespace's name"},
        {"namespace: a.b", "kubernetes.namespace: must be a namespace's name"},
        {"context: c", "kubernetes.context: is of a kubeconfig"},
        {"kubeconfig: none", "there is no file"},
        {"name_space: a", "kubernetes.name_space"},
    };
    for (const auto& row : rows) {
        EXPECT_THAT(mistakes("kubernetes: {" + std::string(row.said) + "}\n"), HasSubstr(row.words))
            << row.said;
    }
}

}  // namespace
}  // namespace rotary::config
