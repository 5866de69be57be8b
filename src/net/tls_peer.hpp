#pragma once

#include <string_view>

typedef struct ssl_st SSL;

namespace rotary::net {

// Who the server must prove to be: a name (with SNI) or an IP literal, brackets allowed. False when
// nothing can be proven to be that.
bool expect_peer(SSL* ssl, std::string_view name);

}  // namespace rotary::net
