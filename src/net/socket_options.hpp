#pragma once

#include <cstddef>

namespace rotary::net {

// TCP_NODELAY (tokens must not wait for an acknowledgement) and keep-alive probes: first after
// 30 s, then each 10 s, dead after 3, so that silence while a model thinks keeps middleboxes awake.
// A listening socket hands these on to what it accepts.
void set_tcp_options(int fd) noexcept;

// The most that the kernel keeps of what was sent and not taken, or came and was not read: left to
// itself it grows to megabytes for each slow reader. 0: left to itself. Before connect or listen.
void set_send_buffer(int fd, std::size_t bytes) noexcept;
void set_receive_buffer(int fd, std::size_t bytes) noexcept;

// Has a listening socket drop segments with SYN and without ACK: no handshake begins here any more,
// and those that have begun go on. False when the kernel refuses.
bool drop_new_handshakes(int fd) noexcept;

// Whether an errno says that this process, or the machine, is out of descriptors or memory.
bool lacks_resources(int error) noexcept;

}  // namespace rotary::net
