#include <rotary/config/load.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "unit/config/loading.hpp"

namespace rotary::config {
namespace {

namespace fs = std::filesystem;

// A folder of its own for each test, removed behind it.
class Load : public testing::Test {
protected:
    void SetUp() override {
        const auto* test = testing::UnitTest::GetInstance()->current_test_info();
        folder_ = fs::temp_directory_path() /
                  ("rotary-load-" + std::to_string(getpid()) + "-" + test->name());
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    std::string path(const std::string& name) const { return (folder_ / name).string(); }

    void write(const std::string& name, const std::string& text) const {
        fs::create_directories((folder_ / name).parent_path());
        std::ofstream(folder_ / name) << text;
    }

    // Loads rotary.yaml of the folder, with a listener that needs no files.
    Loaded load_with(const std::string& more) const {
        write("rotary.yaml", "listeners: [{port: 1, plaintext: true}]\n" + more);
        return load(path("rotary.yaml"), variables());
    }

    static std::string scope(const std::string& name) {
        return "apiVersion: dp.wso2.com/v1alpha1\nkind: Scope\nmetadata: {name: " + name +
               "}\nspec: {names: [a]}\n";
    }

    static std::vector<std::string> names(const Loaded& loaded) {
        std::vector<std::string> names;
        for (const Scope& one : loaded.resources.scopes) {
            names.push_back(one.metadata.name);
        }
        return names;
    }

    fs::path folder_;
};

using Names = std::vector<std::string>;

TEST_F(Load, ReadsFoldersInTheOrderOfNames) {
    write("apis/b.yaml", scope("b"));
    write("apis/a.yml", scope("a"));
    write("apis/c.json", "{}");
    write("apis/.hidden.yaml", "][");
    write("apis/inner/d.yaml", "][");
    const Loaded loaded = load_with("resources: [apis/]\n");
    EXPECT_FALSE(has_errors(loaded.findings)) << to_text(loaded.findings);
    EXPECT_EQ(names(loaded), (Names{"a", "b"}));
    EXPECT_EQ(loaded.files,
              (Names{path("rotary.yaml"), path("apis/"), path("apis/a.yml"), path("apis/b.yaml")}));
}

TEST_F(Load, NamesWhatItDoesNotRead) {
    write("apis/a.yaml", scope("a"));
    write("apis/b.yml.bak", "");
    write("apis/inner/c.yaml", scope("c"));
    fs::create_symlink("nowhere.yaml", folder_ / "apis/d.yaml");
    const std::string text = to_text(load_with("resources: [apis/]\n").findings);
    for (const char* part : {"b.yml.bak, which ends with neither", "inner, a folder",
                             "d.yaml, a link that leads nowhere"}) {
        EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
    }
    EXPECT_EQ(text.find("a.yaml"), std::string::npos) << text;
}

TEST_F(Load, AcceptsWhatIsNotServedByItsName) {
    const std::string policy =
        "apiVersion: dp.wso2.com/v1alpha3\nkind: BackendJWT\nmetadata: {name: a}\n";
    write("apis/a.yaml", policy);
    EXPECT_FALSE(load_with("resources: [apis]\n").ok());
    EXPECT_TRUE(load(path("rotary.yaml"), variables(), {"BackendJWT"}).ok());
    EXPECT_FALSE(load(path("rotary.yaml"), variables(), {"AIRateLimitPolicy"}).ok());
    EXPECT_TRUE(load_with("resources: [apis]\naccept_unserved: [BackendJWT]\n").ok());
    const std::string text =
        to_text(load_with("resources: []\naccept_unserved: [RateLimitPolcy]\n").findings);
    EXPECT_NE(text.find("did you mean \"RateLimitPolicy\"?"), std::string::npos) << text;
}

TEST(LoadLists, AreReadLikeTheirItems) {
    const Loaded loaded = load_resources(R"(apiVersion: v1
kind: List
items:
  - apiVersion: dp.wso2.com/v1alpha1
    kind: Scope
    metadata: {name: a}
    spec: {names: [x]}
  - apiVersion: v1
    kind: ConfigMap
    metadata: {name: B_2}
metadata: {resourceVersion: ""}
)");
    EXPECT_EQ(loaded.resources.scopes.size(), 1U);
    ASSERT_EQ(loaded.findings.size(), 1U) << to_text(loaded.findings);
    EXPECT_EQ(loaded.findings[0].path, "items[1].metadata.name");
}

TEST(LoadInert, IsToldOnceAField) {
    std::string text;
    for (const char* name : {"a", "b", "c"}) {
        text += std::string("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: ") + name +
                "}\nbinaryData: {x: eA==}\n";
    }
    const Loaded loaded = load_resources(text);
    ASSERT_EQ(loaded.findings.size(), 1U) << to_text(loaded.findings);
    EXPECT_NE(loaded.findings[0].message.find("(nor in 2 more places)"), std::string::npos);
}

struct BrokenYaml {
    const char* name;
    const char* text;
    const char* remedy;
};
class LoadBroken : public testing::TestWithParam<BrokenYaml> {};

TEST_P(LoadBroken, SaysWhatToDo) {
    const std::string text = to_text(load_resources(GetParam().text).findings);
    EXPECT_NE(text.find(GetParam().remedy), std::string::npos) << text;
}

const BrokenYaml kBroken[] = {
    {"tab", "a:\n\tb: 1\n", "indent with spaces"},
    {"less_indented", "a:\n  b: 1\n c: 2\n", "begin in the same column"},
    {"value_with_colon", "a: b: c\n", "needs quotes"},
    {"open_bracket", "a: [1, 2\nb: 3\n", "a bracket or a comma is missing"},
    {"no_marker_between", "apiVersion: v1\nkind: A\napiVersion: v1\nkind: B\n",
     "a line `---` is missing"},
};
INSTANTIATE_TEST_SUITE_P(Rows, LoadBroken, testing::ValuesIn(kBroken),
                         [](const auto& row) { return std::string(row.param.name); });

// Every file of tests/data/config/apk loads with exactly the findings that the .txt beside it has.
class ApkFiles : public testing::TestWithParam<std::string> {};

TEST_P(ApkFiles, LoadWithTheFindingsBesideThem) {
    const std::string name = "apk/" + GetParam();
    const Loaded loaded =
        load_texts({"rotary.yaml", ""},
                   {{GetParam() + ".yaml", read_text(data_file(name + ".yaml"))}}, variables());
    EXPECT_EQ(to_text(loaded.findings), read_text(data_file(name + ".txt")));
}

std::vector<std::string> apk_files() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(data_file("apk"))) {
        if (entry.path().extension() == ".yaml") {
            names.push_back(entry.path().stem().string());
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}
INSTANTIATE_TEST_SUITE_P(Files, ApkFiles, testing::ValuesIn(apk_files()),
                         [](const auto& row) { return row.param; });

TEST_F(Load, ReadsAFileOnce) {
    write("apis/a.yaml", scope("a"));
    const Loaded loaded = load_with("resources: [apis/a.yaml, apis, apis/../apis/a.yaml]\n");
    EXPECT_FALSE(has_errors(loaded.findings)) << to_text(loaded.findings);
    EXPECT_EQ(names(loaded), Names{"a"});
}

TEST_F(Load, ResolvesPathsWhereTheyStand) {
    write("sub/keys/k.json", "{}");
    write("sub/apis/i.yaml", R"(apiVersion: dp.wso2.com/v1alpha2
kind: TokenIssuer
metadata: {name: i}
spec:
  name: i
  issuer: https://i
  organization: o
  consumerKeyClaim: c
  scopesClaim: s
  signatureValidation: {jwks: {url: "file:../keys/k.json"}}
)");
    const Loaded loaded = load_with("resources: [sub/apis]\n");
    EXPECT_FALSE(has_errors(loaded.findings)) << to_text(loaded.findings);
    EXPECT_EQ(loaded.resources.issuers.at(0).jwks->file, path("sub/keys/k.json"));
}

TEST_F(Load, SaysWhatIsMissing) {
    const Loaded loaded = load_with("resources:\n  - none.yaml\n  - none\n");
    const std::string text = to_text(loaded.findings);
    EXPECT_NE(text.find("rotary.yaml:3:5: error: resources[0]: there is no file"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("rotary.yaml:4:5: error: resources[1]: there is no file"),
              std::string::npos)
        << text;
    const Loaded nothing = load(path("nothing.yaml"), variables());
    EXPECT_EQ(to_text(nothing.findings),
              path("nothing.yaml") + ": error: there is no file " + path("nothing.yaml") + "\n");
    EXPECT_FALSE(nothing.ok());
}

TEST_F(Load, WarnsOfAnEmptyFolder) {
    fs::create_directories(folder_ / "apis");
    const Loaded loaded = load_with("resources: [apis]\n");
    EXPECT_TRUE(loaded.ok());
    EXPECT_NE(to_text(loaded.findings).find("warning: resources[0]: no *.yaml or *.yml"),
              std::string::npos);
    EXPECT_NE(to_text(loaded.findings).find("warning: resources: no API"), std::string::npos);
}

TEST_F(Load, RefusesWhatIsNotAFile) {
    ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
    const Loaded loaded = load_with("resources: [pipe]\n");
    EXPECT_NE(to_text(loaded.findings).find("is not a file"), std::string::npos);
    EXPECT_NE(to_text(load(folder_.string(), variables()).findings).find("is not a file"),
              std::string::npos);
}

TEST_F(Load, RefusesALargeFile) {
    write("large.yaml", std::string(5001, '#'));
    write("fits.yaml", std::string(5000, '#'));
    const std::string resources = "resources: [large.yaml, fits.yaml]\n";
    const std::string text =
        to_text(load_with("limits: {resource_file_bytes: 5000}\n" + resources).findings);
    EXPECT_NE(text.find("large.yaml: error: larger than limits.resource_file_bytes, 5000 bytes"),
              std::string::npos)
        << text;
    EXPECT_EQ(text.find("fits.yaml"), std::string::npos) << text;
    EXPECT_EQ(to_text(load_with(resources).findings).find("larger"), std::string::npos);
}

TEST_F(Load, TakesResourcesOfSomeMegabytesInOneFile) {
    std::string text(3U << 20U, '#');
    text += "\n---\n" + scope("behind");
    write("large.yaml", text);
    EXPECT_EQ(names(load_with("resources: [large.yaml]\n")), Names{"behind"});
}

TEST_F(Load, RefusesALargeProcessFile) {
    const std::string settings = "listeners: [{port: 1, plaintext: true}]\n#";
    const std::string fits = settings + std::string((1U << 20U) - settings.size(), '#');
    const auto findings_of = [&](const std::string& text) {
        write("rotary.yaml", text);
        return to_text(load(path("rotary.yaml"), variables()).findings);
    };
    EXPECT_EQ(findings_of(fits).find("larger"), std::string::npos);
    EXPECT_NE(findings_of(fits + "#").find("error: larger than 1 MiB"), std::string::npos);
}

TEST_F(Load, KeepsReadingAfterABrokenFile) {
    write("apis/a.yaml", "a: [\n");
    write("apis/b.yaml", scope("b") + "---\n" + scope("B_2"));
    const Loaded loaded = load_with("resources: [apis]\nworker: 1\n");
    const std::string text = to_text(loaded.findings);
    EXPECT_NE(text.find("a.yaml:2:1: error: YAML: "), std::string::npos) << text;
    EXPECT_NE(text.find("b.yaml:8:18: error: metadata.name: "), std::string::npos) << text;
    EXPECT_NE(text.find("rotary.yaml:3:1: error: worker: unknown field"), std::string::npos)
        << text;
    EXPECT_LT(text.find("rotary.yaml:"), text.find("a.yaml:"));
}

TEST(LoadSample, OfAnAiApiLoadsOnceItsSecretIsReplaced) {
    const std::string text = read_text(data_file("ai-api.yaml"));
    const Loaded untouched = load_resources(text);
    ASSERT_FALSE(untouched.ok());
    EXPECT_NE(to_text(untouched.findings).find("replace the placeholder"), std::string::npos);

    std::string replaced = text;
    const std::string placeholder = "base64_encoded_api_key";
    replaced.replace(replaced.find(placeholder), placeholder.size(), "QmVhcmVyIHNrLTE=");
    const Loaded loaded = load_resources(replaced);
    EXPECT_TRUE(loaded.ok()) << to_text(loaded.findings);
    ASSERT_EQ(loaded.findings.size(), 5U) << to_text(loaded.findings);
    EXPECT_NE(loaded.findings[0].message.find("no TokenIssuer"), std::string::npos);
    EXPECT_NE(loaded.findings[4].message.find("is read as $.usage.total_tokens"),
              std::string::npos);
    EXPECT_EQ(loaded.resources.policies.at(0).defaults.rotation->sandbox.size(), 3U);
}

TEST(LoadMistakes, AreReportedAllAtOnce) {
    const Loaded loaded =
        load_texts({"rotary.yaml", "listners: []\nworkers: x\n"},
                   {{"many.yaml", read_text(data_file("many-mistakes.yaml"))}}, variables());
    const std::string text = to_text(loaded.findings);
    EXPECT_EQ(text, read_text(data_file("many-mistakes.txt"))) << text;
}

TEST(LoadMistakes, InOneDocumentDontBlameItsReferences) {
    // The Backend that the route names may have stood in the broken document.
    const Loaded loaded = load_resources(R"(apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r}
spec: {rules: [{backendRefs: [{name: b}]}]}
---
kind: Backend
metadata: {name: b
)");
    ASSERT_EQ(loaded.findings.size(), 1U) << to_text(loaded.findings);
    EXPECT_NE(loaded.findings[0].message.find("YAML: "), std::string::npos);
    EXPECT_EQ(loaded.resources.unread, "");
}

TEST(LoadEnvironment, OfTheProcess) {
    ASSERT_EQ(setenv("ROTARY_TEST_VARIABLE", "x", 1), 0);
    const Environment environment = process_environment();
    EXPECT_EQ(environment("ROTARY_TEST_VARIABLE"), "x");
    EXPECT_EQ(environment("ROTARY_TEST_NO_VARIABLE"), std::nullopt);
}

}  // namespace
}  // namespace rotary::config
