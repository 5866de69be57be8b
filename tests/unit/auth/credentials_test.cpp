#include <rotary/auth/credentials.hpp>

#include <gtest/gtest.h>

#include <string>

namespace rotary::auth {
namespace {

// One letter a kind: oauth2, jwt, apiKey, mtls. Of uses: - off, o optional, M mandatory. Of what
// is brought: - nothing, x refused, + accepted.
CredentialUses uses(const std::string& letters) {
    CredentialUses made;
    for (std::size_t i = 0; i < kCredentialKinds; ++i) {
        made[static_cast<CredentialKind>(i)] = letters[i] == 'M'   ? CredentialUse::mandatory
                                               : letters[i] == 'o' ? CredentialUse::optional
                                                                   : CredentialUse::off;
    }
    return made;
}

Credentials with(const std::string& wanted, const std::string& letters) {
    Credentials made(uses(wanted));
    for (std::size_t i = 0; i < kCredentialKinds; ++i) {
        made.bring(static_cast<CredentialKind>(i), letters[i] == '+'   ? Brought::accepted
                                                   : letters[i] == 'x' ? Brought::refused
                                                                       : Brought::nothing);
    }
    return made;
}

struct Row {
    const char* name;
    const char* uses;
    const char* brought;
    AuthVerdict verdict;
};

constexpr auto kAdmitted = AuthVerdict::admitted;
constexpr auto kMissing = AuthVerdict::missing;
constexpr auto kRefused = AuthVerdict::refused;

const Row kRows[] = {
    {"mandatory alone, absent", "M---", "----", kMissing},
    {"mandatory alone, bad", "M---", "x---", kRefused},
    {"mandatory alone, good", "M---", "+---", kAdmitted},
    {"optional alone, absent", "o---", "----", kMissing},
    {"optional alone, bad", "o---", "x---", kRefused},
    {"optional alone, good", "o---", "+---", kAdmitted},
    {"two alternatives, none", "o-o-", "----", kMissing},
    {"two alternatives, the first", "o-o-", "+---", kAdmitted},
    {"two alternatives, the second", "o-o-", "--+-", kAdmitted},
    {"two alternatives, one bad and one good", "o-o-", "x-+-", kAdmitted},
    {"two alternatives, one bad", "o-o-", "x---", kRefused},
    {"a mandatory key beside optional OAuth2, none", "o-M-", "----", kMissing},
    {"a mandatory key beside optional OAuth2, the token alone", "o-M-", "+---", kMissing},
    {"a mandatory key beside optional OAuth2, the key alone", "o-M-", "--+-", kAdmitted},
    {"a mandatory key beside optional OAuth2, token and a bad key", "o-M-", "+-x-", kRefused},
    {"two mandatory, one", "M-M-", "+---", kMissing},
    {"two mandatory, both", "M-M-", "+-+-", kAdmitted},
    {"three alternatives, the middle one", "ooo-", "-+--", kAdmitted},
    {"a kind that is off lets nobody in", "M---", "-+++", kMissing},
    {"a kind that is off and bad is not looked at", "M---", "+xxx", kAdmitted},
    {"what can't be verified satisfies nothing", "---M", "----", kMissing},
    {"nor does it beside others", "M--M", "+---", kMissing},
    {"with every kind off nothing is enough", "----", "++++", kMissing},
};

TEST(Credentials, OneOfThoseThatAreOnAndAllThatAreMandatory) {
    for (const Row& row : kRows) {
        EXPECT_EQ(with(row.uses, row.brought).verdict(), row.verdict) << row.name;
    }
}

// By the sentence of the contract, over every combination there is.
TEST(Credentials, NoCombinationIsOpen) {
    const std::string use_letters = "-oM";
    const std::string brought_letters = "-x+";
    for (int use = 0; use < 81; ++use) {
        for (int bring = 0; bring < 81; ++bring) {
            std::string wanted;
            std::string brought;
            bool any = false;
            bool all = true;
            for (int i = 0, u = use, b = bring; i < 4; ++i, u /= 3, b /= 3) {
                wanted += use_letters[static_cast<std::size_t>(u % 3)];
                brought += brought_letters[static_cast<std::size_t>(b % 3)];
                any = any || (wanted.back() != '-' && brought.back() == '+');
                all = all && (wanted.back() != 'M' || brought.back() == '+');
            }
            EXPECT_EQ(with(wanted, brought).verdict() == kAdmitted, any && all)
                << wanted << " " << brought;
        }
    }
}

TEST(Credentials, LooksAtNoMoreThanItNeeds) {
    Credentials credentials(uses("oM-o"));
    EXPECT_TRUE(credentials.wants(CredentialKind::oauth2));
    EXPECT_FALSE(credentials.wants(CredentialKind::api_key)) << "it is off";
    credentials.bring(CredentialKind::oauth2, Brought::accepted);
    EXPECT_TRUE(credentials.wants(CredentialKind::jwt)) << "mandatory";
    EXPECT_FALSE(credentials.wants(CredentialKind::mtls));
    EXPECT_EQ(credentials.verdict(), kMissing);
}

}  // namespace
}  // namespace rotary::auth
