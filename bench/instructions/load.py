"""The provider and the clients of a count: run.sh and system_calls.sh start it beside the gateway.

usage: load.py provider PORT
       load.py clients WORKLOAD GATEWAY_PORT CA CALLGRIND_PID
       load.py count FILE BINARY REQUESTS
       load.py traced WORKLOAD GATEWAY_PORT CA GATEWAY_PID

`clients` warms the gateway up, has callgrind count from zero, sends a fixed number of requests over
16 connections, has it dump, and prints how many there were. `count` prints what a dump holds for
each request: all of it, and what the binary itself took. `traced` has strace count in place of
callgrind, and prints the system calls of one request but its waits, and the waits.
"""
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading

CONNECTIONS = 16
WARM_UP = 320
COUNTED = 1600
NOT_PERMITTED = 77  # to trace: a container's doing
PATH = "/chat/1.0/chat/completions"

TEXT = "It is as much as it is. " * 16
CHAT = (
    '{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"gpt-4o",'
    '"choices":[{"index":0,"message":{"role":"assistant","content":"%s"},"finish_reason":"stop"}],'
    '"usage":{"prompt_tokens":180,"completion_tokens":112,"total_tokens":292}}' % TEXT
).encode()
EVENT = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":'
    b'{"content":"a word of an answer that comes in pieces"},"finish_reason":null}]}\n\n'
)


def sized(body):
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return (head % len(body)).encode() + body


def burst(events):
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    chunk = b"%x\r\n%s\r\n" % (len(EVENT), EVENT)
    done = b"data: [DONE]\n\n"
    return head + chunk * events + b"%x\r\n%s\r\n0\r\n\r\n" % (len(done), done)


def question(size):
    head, tail = '{"model":"any","messages":[{"role":"user","content":"', '"}]}'
    asked = "How much is it? " * (size // 16 + 1)
    return (head + asked[: size - len(head) - len(tail)] + tail).encode()


# What is asked, and whether the token is one.
WORKLOADS = {
    "chat": (question(919), True),
    "upload": (question(32768), True),
    "burst": (question(919), True),
    "refused": (question(919), False),
    "large": (question(919), True),
    "limited": (question(919), True),
    "shared": (question(919), True),
}
ANSWERS = {
    "chat": sized(CHAT),
    "upload": sized(CHAT),
    "burst": burst(100),
    "large": sized(CHAT + b" " * 65536),
    "limited": sized(CHAT),
    "shared": sized(CHAT),
}


def read_message(sock, pending):
    """One message with a Content-Length or in chunks; returns its head and what is left."""
    while b"\r\n\r\n" not in pending:
        piece = sock.recv(262144)
        if not piece:
            return None, b""
        pending += piece
    head, _, rest = pending.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    if any(line.startswith(b"transfer-encoding: chunked") for line in lines):
        while not rest.endswith(b"0\r\n\r\n"):
            rest += sock.recv(262144)
        return head, b""
    lengths = [line for line in lines if line.startswith(b"content-length:")]
    length = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(rest) < length:
        rest += sock.recv(262144)
    return head, rest[length:]


def provide(sock):
    pending = b""
    while True:
        head, pending = read_message(sock, pending)
        if head is None:
            return
        # The workload is the query, which goes on as it is.
        name = head.split(b" ")[1].partition(b"?")[2].decode()
        sock.sendall(ANSWERS[name])


def provider(port):
    listener = socket.create_server(("127.0.0.1", port), backlog=64)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=provide, args=(sock,), daemon=True).start()


def connected(workload, port, ca):
    """Connections that stand, as a function that sends so many requests over them."""
    body, has_token = WORKLOADS[workload]
    token = os.environ["TOKEN"] if has_token else "forged." * 20
    request = (
        "POST %s?%s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
        "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        % (PATH, workload, token, len(body))
    ).encode() + body
    expected = b" 200 " if has_token else b" 401 "
    context = ssl.create_default_context(cafile=ca)
    context.check_hostname = False
    socks = [
        context.wrap_socket(socket.create_connection(("127.0.0.1", port)))
        for _ in range(CONNECTIONS)
    ]

    def send(count):
        for _ in range(count // CONNECTIONS):
            for sock in socks:
                sock.sendall(request)
            for sock in socks:
                head, _ = read_message(sock, b"")
                if head is None or expected not in head.split(b"\r\n")[0]:
                    sys.exit("an answer is not as expected: %r" % head)

    return send


def clients(workload, port, ca, pid):
    send = connected(workload, port, ca)

    def control(option):
        subprocess.run(["callgrind_control", option, pid], check=True, capture_output=True)

    send(WARM_UP)
    control("--zero")
    send(COUNTED)
    control("--dump")
    print(COUNTED)


def traced(workload, port, ca, pid):
    send = connected(workload, port, ca)
    send(WARM_UP)
    command = ["strace", "-f", "-c", "-U", "calls,name", "-p", pid]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        line = strace.stderr.readline()
        if "attached" not in line:
            print(line.strip() or "strace said nothing", file=sys.stderr)
            sys.exit(NOT_PERMITTED if "not permitted" in line else 1)
        send(COUNTED)
        strace.send_signal(signal.SIGINT)
        table = strace.stderr.read()
    counts = {name: int(count) for count, name in re.findall(r"^\s*(\d+) (\w+)$", table, re.M)}
    if "total" not in counts:
        sys.exit("strace counted nothing: " + table)
    waits = sum(count for name, count in counts.items() if name.startswith("epoll_"))
    print("%.2f %.2f" % ((counts["total"] - waits) / COUNTED, waits / COUNTED))


def count(path, binary, requests):
    total = own = 0
    names, is_own, is_call = {}, False, False
    with open(path, errors="replace") as dump:
        for line in dump:
            if line.startswith("ob="):
                number, name = re.match(r"ob=\((\d+)\)(?: (.*))?", line).groups()
                names[number] = name or names[number]
                is_own = os.path.basename(names[number]) == os.path.basename(binary)
            elif line.startswith("cob="):
                number, name = re.match(r"cob=\((\d+)\)(?: (.*))?", line).groups()
                names[number] = name or names[number]
            elif line.startswith("calls="):
                is_call = True  # the next line is what the called ones took
            elif line[0].isdigit() or line[0] in "+-*":
                cost = 0 if is_call else int(line.split()[1])
                is_call = False
                total += cost
                own += cost if is_own else 0
    print(total // requests, own // requests)


if sys.argv[1] == "provider":
    provider(int(sys.argv[2]))
elif sys.argv[1] == "count":
    count(sys.argv[2], sys.argv[3], int(sys.argv[4]))
elif sys.argv[1] == "traced":
    traced(sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5])
else:
    clients(sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5])
