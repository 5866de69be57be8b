#pragma once

namespace rotary::net {

// TCP_NODELAY (tokens must not wait for an acknowledgement) and keep-alive probes: first after
// 30 s, then each 10 s, dead after 3, so that silence while a model thinks keeps middleboxes awake.
// A listening socket hands these on to what it accepts.
void set_tcp_options(int fd) noexcept;

}  // namespace rotary::net
