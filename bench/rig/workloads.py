"""What is measured: each workload once, with all that makes it one."""
from dataclasses import dataclass, replace

PASSING_ON = ("nginx", "haproxy")
ROTARY = ("rotary",)
FAST = PASSING_ON + ROTARY
LLM = ("vllm-router", "portkey", "litellm", "bifrost")
ENVOY = ("envoy", "envoy-jwt")
LOGS = ("rotary-off", "rotary-pipe")
FLOOR = ("relay",)


@dataclass(frozen=True)
class Workload:
    name: str
    title: str
    peers: tuple = FAST
    variants: tuple = (("", {}),)  # of each peer: (what the table calls it, what differs)
    unit: str = "request"          # what the CPU time is divided by, or "event"
    # The clients.
    connections: int = 64
    body: int = 919                # bytes of a request
    rate: float = 0                # requests a second; 0: as fast as can be; -1: half of nginx's
    fresh: str = ""                # a connection a request, with a "full" handshake or "resumed"
    idle: int = 0                  # connections that stand and say nothing, in place of requests
    counted: int = 2000            # requests while system calls are counted
    tokens: int = 1
    # The provider.
    length: int = 700              # bytes of an answer
    events: int = 0                # of a streamed answer
    gap: float = 0                 # seconds between two of them
    failing: bool = False          # every third request meets a 503 first
    # The proxy.
    workers: int = 1
    rsa: bool = False              # its certificate: RSA-2048 in place of P-256
    upstream_tls: bool = False
    routes: int = 1
    entries: int = 0               # of the list; 0: the usual three
    limited: bool = False          # four limits, prices and a budget are asked

    @property
    def scale(self):
        return self.routes > 1 or self.entries > 0 or self.tokens > 1 or self.limited

    def varied(self):
        """(label, workload) of each variant."""
        return [(label, replace(self, **differs)) for label, differs in self.variants]


def sizes(key, what, numbers):
    return tuple(("%s %s" % (format(n, ","), what if n > 1 else what.rstrip("s")), {key: n})
                 for n in numbers)


def at_rate(name, title, rate):
    return Workload(name, title, FLOOR + FAST + ("rotary-off", "envoy"), connections=20, rate=rate)


def new_connections(name, title, fresh, rsa):
    return Workload(name, title, connections=8, fresh=fresh, rsa=rsa, counted=300)


ALL = (
    Workload("chat", "A chat of 1 KB, 64 connections", FLOOR + FAST + LOGS + ENVOY + LLM),
    at_rate("rate-1000", "1,000 chats a second, 20 connections", 1000),
    at_rate("rate-4000", "4,000 chats a second, 20 connections", 4000),
    at_rate("rate-12000", "12,000 chats a second, 20 connections", 12000),
    at_rate("half-load", "Chats at half of what nginx can do, 20 connections", -1),
    Workload("bodies", "32 KB in, 64 KB out", FLOOR + FAST + ("nginx-buffering", "envoy"),
             body=32768, length=65536, counted=500),
    Workload("upload", "1 MB in", FLOOR + FAST + ("nginx-buffering", "envoy"), connections=16,
             body=1048576, counted=100),
    Workload("sse-paced", "200 streams, an event each 20 ms",
             FLOOR + FAST + ("envoy", "vllm-router"),
             unit="event", connections=200, events=100, gap=0.02, counted=200),
    Workload("sse-burst", "Streams of 100 events at once", FLOOR + FAST + ("envoy",), unit="event",
             events=100, counted=500),
    new_connections("new-p256", "A new connection each request, P-256", "full", False),
    new_connections("new-p256-resumed", "A new connection each request, P-256, resumed",
                    "resumed", False),
    new_connections("new-rsa", "A new connection each request, RSA-2048", "full", True),
    new_connections("new-rsa-resumed", "A new connection each request, RSA-2048, resumed",
                    "resumed", True),
    Workload("idle", "5,000 idle connections", FAST + ("envoy",), idle=5000),
    Workload("upstream-tls", "TLS to the provider too", upstream_tls=True),
    Workload("workers", "Two workers against one",
             variants=sizes("workers", "workers", (1, 2))),
    Workload("failing", "Every third request meets a 503 first", failing=True),
    Workload("tokens", "Tokens that take turns", ROTARY,
             variants=sizes("tokens", "tokens", (1, 1000, 100000))),
    Workload("routes", "Routes, each with a Backend of its own", ROTARY,
             variants=sizes("routes", "routes", (1, 1000, 10000))),
    Workload("entries", "Entries of the list", ROTARY,
             variants=sizes("entries", "entries", (3, 64, 1000))),
    Workload("limited", "A chat of 1 KB with four limits, prices and a budget", ROTARY,
             variants=(("none", {}), ("all of them", {"limited": True}))),
)
BY_NAME = {workload.name: workload for workload in ALL}
