#include <rotary/auth/credentials.hpp>

namespace rotary::auth {

bool Credentials::any(Brought wanted) const noexcept {
    for (std::size_t i = 0; i < kCredentialKinds; ++i) {
        if (uses_.on(static_cast<CredentialKind>(i)) && brought_[i] == wanted) return true;
    }
    return false;
}

bool Credentials::wants(CredentialKind kind) const noexcept {
    switch (uses_[kind]) {
        case CredentialUse::mandatory:
            return true;
        case CredentialUse::optional:
            return !any(Brought::accepted);
        case CredentialUse::off:
            break;
    }
    return false;
}

AuthVerdict Credentials::verdict() const noexcept {
    bool admitted = any(Brought::accepted);
    for (std::size_t i = 0; i < kCredentialKinds; ++i) {
        const bool mandatory = uses_[static_cast<CredentialKind>(i)] == CredentialUse::mandatory;
        if (mandatory && brought_[i] != Brought::accepted) admitted = false;
    }
    if (admitted) return AuthVerdict::admitted;
    return any(Brought::refused) ? AuthVerdict::refused : AuthVerdict::missing;
}

}  // namespace rotary::auth
