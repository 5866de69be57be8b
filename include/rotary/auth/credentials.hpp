#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace rotary::auth {

// What a caller may show, in the order it is looked at.
enum class CredentialKind : std::uint8_t { oauth2, jwt, api_key, mtls };
inline constexpr std::size_t kCredentialKinds = 4;

// What a route makes of one kind.
enum class CredentialUse : std::uint8_t {
    off,
    optional,  // an alternative: one of the kinds that are on must be there
    mandatory
};

// What a request brought of one kind. What can't be verified counts as nothing.
enum class Brought : std::uint8_t { nothing, refused, accepted };

enum class AuthVerdict : std::uint8_t {
    admitted,
    missing,  // what is wanted was not brought
    refused   // something that was brought is not good enough
};

// Which kinds of credential a route wants, and what its requests have to do with them. With no kind
// on, nothing can be brought and every request is refused: a route is opened by
// AuthRules::disabled alone.
class CredentialUses {
public:
    constexpr CredentialUse& operator[](CredentialKind kind) noexcept {
        return uses_[static_cast<std::size_t>(kind)];
    }
    constexpr CredentialUse operator[](CredentialKind kind) const noexcept {
        return uses_[static_cast<std::size_t>(kind)];
    }
    constexpr bool on(CredentialKind kind) const noexcept {
        return (*this)[kind] != CredentialUse::off;
    }

private:
    std::array<CredentialUse, kCredentialKinds> uses_{};
};

// What one request has brought so far.
class Credentials {
public:
    constexpr explicit Credentials(const CredentialUses& uses) noexcept : uses_(uses) {}

    constexpr void bring(CredentialKind kind, Brought brought) noexcept {
        brought_[static_cast<std::size_t>(kind)] = brought;
    }
    // Whether it matters what the request has of this kind: it is on, and mandatory or nothing was
    // accepted yet.
    bool wants(CredentialKind kind) const noexcept;
    AuthVerdict verdict() const noexcept;

private:
    bool any(Brought wanted) const noexcept;

    CredentialUses uses_;
    std::array<Brought, kCredentialKinds> brought_{};
};

}  // namespace rotary::auth
