#include <rotary/config/settings/kubeconfig.hpp>
#include <rotary/kubernetes/cluster_access.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <support/certificates.hpp>
#include <support/temp_dir.hpp>

#include <chrono>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

namespace rotary::kubernetes {
namespace {

using std::chrono_literals::operator""s;
using testing::HasSubstr;

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

class ClusterAccessTest : public testing::Test {
protected:
    config::Environment environment() {
        return [this](std::string_view name) {
            const auto found = variables_.find(name);
            return found == variables_.end() ? std::nullopt : std::optional(found->second);
        };
    }
    // A pod's files, and the settings that name them.
    void make_pod() {
        dir_.write("account/token", "first\n");
        dir_.write("account/ca.crt", text_of(test::certificates().ca));
        dir_.write("account/namespace", "team-a");
        settings_.service_account = dir_ / "account";
        variables_ = {{"KUBERNETES_SERVICE_HOST", "10.0.0.1"}, {"KUBERNETES_SERVICE_PORT", "443"}};
    }
    std::string why() {
        try {
            const ClusterAccess access(settings_, environment());
        } catch (const std::runtime_error& error) {
            return error.what();
        }
        return "";
    }
    // A kubeconfig with these mappings for its one cluster and its one user.
    void make_kubeconfig(const std::string& cluster, const std::string& user) {
        settings_.kubeconfig = dir_.write(
            "kubeconfig", "current-context: c\nclusters:\n  - {name: k, cluster: {" + cluster +
                              "}}\nusers:\n  - {name: u, user: {" + user +
                              "}}\ncontexts:\n  - {name: c, context: {cluster: k, user: u, "
                              "namespace: team-b}}\n  - {name: d, context: {cluster: none}}\n");
    }

    test::TempDir dir_;
    config::KubernetesSettings settings_;
    std::map<std::string, std::string, std::less<>> variables_;
};

TEST_F(ClusterAccessTest, APodHasItAll) {
    make_pod();
    ClusterAccess access(settings_, environment());
    EXPECT_EQ(access.url().host, "10.0.0.1");
    EXPECT_EQ(access.url().port, 443);
    EXPECT_EQ(access.name_space(), "team-a");
    EXPECT_NE(access.tls(), nullptr);
    EXPECT_EQ(access.token(std::chrono::steady_clock::now()), "first");
}

TEST_F(ClusterAccessTest, AnIPv6AddressStandsInBrackets) {
    make_pod();
    variables_["KUBERNETES_SERVICE_HOST"] = "fd00::1";
    const ClusterAccess access(settings_, environment());
    EXPECT_EQ(access.url().host, "fd00::1");
    EXPECT_EQ(access.url().authority, "[fd00::1]");
}

TEST_F(ClusterAccessTest, ATokenIsReadAgainEachMinute) {
    make_pod();
    ClusterAccess access(settings_, environment());
    dir_.write("account/token", "second\n");
    const auto now = std::chrono::steady_clock::now();
    EXPECT_EQ(access.token(now), "first");
    EXPECT_EQ(access.token(now + 61s), "second");
    dir_.write("account/token", "third");
    EXPECT_EQ(access.token(now + 62s), "second");
    access.read_again(now + 63s);
    EXPECT_EQ(access.token(now + 63s), "third");
    dir_.write("account/token", "two\nlines");
    access.read_again(now + 64s);
    EXPECT_EQ(access.token(now + 64s), "third");
}

TEST_F(ClusterAccessTest, AnAuthorityThatIsRenewedIsTaken) {
    make_pod();
    ClusterAccess access(settings_, environment());
    const auto before = access.tls();
    const auto now = std::chrono::steady_clock::now();
    dir_.write("account/ca.crt", "half of a");
    access.read_again(now);
    EXPECT_EQ(access.tls(), before);
    dir_.write("account/ca.crt", text_of(test::certificates().other_ca));
    access.read_again(now);
    EXPECT_NE(access.tls(), before);
}

TEST_F(ClusterAccessTest, OutsideOfAClusterItSaysSo) {
    EXPECT_THAT(why(), HasSubstr("kubernetes.kubeconfig"));
    make_pod();
    settings_.service_account = dir_ / "elsewhere";
    EXPECT_THAT(why(), HasSubstr("there is no file"));
}

TEST_F(ClusterAccessTest, AKubeconfigsContext) {
    dir_.write("token", "of-file");
    const test::Certificates& all = test::certificates();
    make_kubeconfig("server: \"https://api.example.test:6443\", certificate-authority: \"" +
                        all.ca + "\", tls-server-name: kubernetes",
                    "tokenFile: token, client-certificate: \"" + all.client.certificate +
                        "\", client-key: \"" + all.client.key + '"');
    ClusterAccess access(settings_, environment());
    EXPECT_EQ(access.url().authority, "api.example.test:6443");
    EXPECT_EQ(access.server_name(), "kubernetes");
    EXPECT_EQ(access.name_space(), "team-b");
    EXPECT_EQ(access.token(std::chrono::steady_clock::now()), "of-file");
}

TEST_F(ClusterAccessTest, WhatAKubeconfigCannotAskFor) {
    const std::string cluster = "server: \"https://127.0.0.1:6443\"";
    const struct {
        const char* cluster;
        const char* user;
        const char* words;
    } rows[] = {
        {"", "exec: {command: aws}", "users[0].user.exec: is not supported"},
        {"", "auth-provider: {name: gcp}", "users[0].user.auth-provider: is not supported"},
        {"", "username: me, password: secret", "users[0].user.username: is not supported"},
        {"", "client-certificate: x.crt", "belong together"},
        {"", "client-key-data: \"%%\"", "client-key-data: is not valid base64"},
        {", insecure-skip-tls-verify: true", "token: x", "insecure-skip-tls-verify"},
        {", proxy-url: \"http://p\"", "token: x", "proxy-url"},
    };
    for (const auto& row : rows) {
        make_kubeconfig(cluster + row.cluster, row.user);
        EXPECT_THAT(why(), HasSubstr(row.words));
        EXPECT_THAT(why(), testing::ContainsRegex("kubeconfig:[35]:[0-9]+: error: "));
    }
}

TEST_F(ClusterAccessTest, AContextThatIsNotThereIsNamed) {
    make_kubeconfig("server: \"https://127.0.0.1:6443\"", "token: x");
    settings_.context = "d";
    EXPECT_THAT(why(), HasSubstr("clusters: none is called \"none\""));
    settings_.context = "e";
    EXPECT_THAT(why(), HasSubstr("contexts: none is called \"e\""));
    make_kubeconfig("server: \"http://api.example.test\"", "token: x");
    settings_.context.clear();
    EXPECT_THAT(why(), HasSubstr("is no https URL"));
}

}  // namespace
}  // namespace rotary::kubernetes
