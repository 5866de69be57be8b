"""What the tests in Python share: a failure that says what is wrong, waiting for what must come, ports
of loopback."""
import os
import random
import socket
import sys
import time

PATIENCE = 90  # a net for a loaded machine; nothing is measured with it
STARTED = time.monotonic()


def fail(what):
    raise SystemExit(f"{os.path.basename(sys.argv[0])}: {what}")


def check(truth, what):
    if not truth:
        fail(what)


def say(what):
    print(f"[{time.monotonic() - STARTED:5.1f} s] {what}", flush=True)


def eventually(what, ask, patience=PATIENCE):
    """What it said when it was true."""
    until = time.monotonic() + patience
    while True:
        found = ask()
        if found:
            return found
        if time.monotonic() > until:
            fail(f"it never came: {what}")
        time.sleep(0.02)


def free_ports(count):
    """Below the range that the kernel gives to outgoing connections, so that none takes them."""
    ports = []
    while len(ports) < count:
        port = random.randrange(20000, 32000)
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in ports:
            ports.append(port)
    return ports
