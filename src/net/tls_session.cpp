#include "tls_session.hpp"

#include <openssl/ssl.h>

#include <ctime>
#include <utility>

namespace rotary::net {

namespace {

using SlotPointer = std::shared_ptr<SessionSlot>;

// NOLINTNEXTLINE(readability-function-size): CRYPTO_EX_free says which parameters
void free_slot_pointer(void*, void* pointer, CRYPTO_EX_DATA*, int, long, void*) {
    delete static_cast<SlotPointer*>(pointer);
}

int slot_index() {
    static const int kIndex = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_slot_pointer);
    return kIndex;
}

int keep_session(SSL* ssl, SSL_SESSION* session) {
    auto* slot = static_cast<SlotPointer*>(SSL_get_ex_data(ssl, slot_index()));
    if (slot == nullptr) return 0;
    SSL_SESSION_free(std::exchange((*slot)->newest, session));
    return 1;  // the reference is ours now
}

bool usable(const SSL_SESSION* session) {
    if (session == nullptr || SSL_SESSION_is_resumable(session) != 1) return false;
    return SSL_SESSION_get_time(session) + SSL_SESSION_get_timeout(session) > std::time(nullptr);
}

}  // namespace

SessionSlot::~SessionSlot() { SSL_SESSION_free(newest); }

void collect_sessions(SSL_CTX* context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
}

void use_session_slot(SSL* ssl, std::shared_ptr<SessionSlot> slot) {
    if (ssl == nullptr || slot == nullptr) return;
    if (usable(slot->newest)) SSL_set_session(ssl, slot->newest);
    auto pointer = std::make_unique<SlotPointer>(std::move(slot));
    if (SSL_set_ex_data(ssl, slot_index(), pointer.get()) == 1)
        static_cast<void>(pointer.release());
}

}  // namespace rotary::net
