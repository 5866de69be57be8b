#pragma once

namespace rotary::net {

// Does nothing: a call makes the linker take tls_memory.cpp out of its library, whose constructor
// gives OpenSSL its memory.
void keep_tls_memory_linked() noexcept;

}  // namespace rotary::net
