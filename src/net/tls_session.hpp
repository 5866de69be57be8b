#pragma once

#include <memory>

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_session_st SSL_SESSION;

namespace rotary::net {

// The newest session that one endpoint gave us, to resume with. A slot belongs to one endpoint and
// one context: a resumed session's host name is not verified again. Single-threaded.
struct SessionSlot {
    SSL_SESSION* newest = nullptr;

    SessionSlot() = default;
    SessionSlot(const SessionSlot&) = delete;
    SessionSlot& operator=(const SessionSlot&) = delete;
    ~SessionSlot();
};

// Has `context` hand over the sessions of connections that have a slot.
void collect_sessions(SSL_CTX* context);

// Resumes with what the slot holds, if that is still good, and keeps what comes in the slot.
void use_session_slot(SSL* ssl, std::shared_ptr<SessionSlot> slot);

}  // namespace rotary::net
