#!/usr/bin/env python3
"""`rotary top` on a real terminal, before a real gateway with a mock provider.

It draws, does what its keys say, takes a new size, and leaves the terminal as it was when it ends by
q, by ^C and by SIGTERM. usage: top_test.py ROTARY
"""
import fcntl
import http.client
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from checks import fail, free_ports

ROTARY = os.path.realpath(sys.argv[1])
PATIENCE = 30  # a net for a loaded machine; nothing is measured with it
ENTERS, LEAVES = b"\x1b[?1049h\x1b[?25l", b"\x1b[?25h\x1b[?1049l"

CONFIG = """
watch: false
listeners: [{{address: 127.0.0.1, port: {port}, plaintext: true}}]
admin: {{address: 127.0.0.1, port: {admin}}}
providers:
  mock: {{format: openai, url: "http://127.0.0.1:{mock}/v1", key: none}}
apis:
  - path: /v1
    name: chat
    keys: {{team: "sha256:{zeros}"}}
    suspend_seconds: 60
    production: [{{model: small, provider: mock}}, {{model: large, provider: mock}}]
"""


def get(port, path, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path)
        return connection.getresponse().read().decode()
    except OSError:
        return ""
    finally:
        connection.close()


class Terminal:
    """A program on a pseudo terminal, and what its screen shows."""

    def __init__(self, command, columns, lines):
        self.main, self.side = pty.openpty()
        self.resize(columns, lines)
        self.before = termios.tcgetattr(self.side)
        environment = dict(os.environ, TERM="xterm", NO_COLOR="1")
        self.child = subprocess.Popen(command, stdin=self.side, stdout=self.side,
                                      stderr=self.side, env=environment, start_new_session=True,
                                      preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.seen = b""

    def resize(self, columns, lines):
        fcntl.ioctl(self.main, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self):
        ready, _, _ = select.select([self.main], [], [], 0.05)
        if ready:
            try:
                self.seen += os.read(self.main, 65536)
            except OSError:
                pass

    def screen(self):
        """The lines that were drawn last, whole."""
        frames = self.seen.split(b"\x1b[H")[1:]
        whole = [frame for frame in frames if frame.find(b"\x1b[J") >= 0]
        if not whole:
            return []
        text = whole[-1].split(b"\x1b[J")[0].decode()
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "").split("\n")

    def until(self, what, holds):
        end = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > end:
                fail(f"never: {what}\n" + "\n".join(self.screen()) + repr(self.seen[-300:]))
            self.read()

    def shows(self, text):
        self.until(text, lambda: any(text in line for line in self.screen()))

    def press(self, keys):
        os.write(self.main, keys.encode())

    def ends(self, code):
        self.until(f"the end with {code}", lambda: self.child.poll() is not None)
        if self.child.returncode != code:
            fail(f"it ended with {self.child.returncode} in place of {code}")
        self.until("the screen of before", lambda: self.seen.endswith(LEAVES)
                   or self.seen.endswith(LEAVES + b"^C"))
        if termios.tcgetattr(self.side) != self.before:
            fail("the terminal is not as it was")
        os.close(self.main)
        os.close(self.side)


def entry(admin, model):
    models = json.loads(get(admin, "/api/v1/models"))["models"]
    return next(one for one in models if one["model"] == model)


def keys_do_what_they_say(top, admin):
    top.shows("rotary ready")
    if not top.seen.startswith(ENTERS):
        fail(f"it did not begin with a screen of its own: {top.seen[:80]!r}")
    modes = termios.tcgetattr(top.side)[3]
    if modes & (termios.ECHO | termios.ICANON):
        fail("keys are echoed, or wait for the end of a line")
    top.shows("q quit")
    top.press("j")
    top.press("S")
    top.shows("large@mock is suspended")
    top.shows("suspended")
    if entry(admin, "large")["state"] != "suspended" or entry(admin, "small")["state"] != "active":
        fail("S suspended another one")
    top.press("s")  # by requests, of which there are none
    top.press("s")  # those that are out stand first
    top.until("the order", lambda: "large" in
              [line for line in top.screen() if " mock " in line][0])
    top.press("\x1b[A")
    top.press("r")
    top.shows("large@mock is back")
    if entry(admin, "large")["state"] != "active":
        fail("r did not resume it")
    top.shows("LAST ERRORS")
    top.press("e")
    top.shows("LAST REQUESTS")
    top.press("p")
    top.shows("PAUSED")
    top.press("p")
    top.until("it goes on", lambda: not any("PAUSED" in line for line in top.screen()))


def main():
    with tempfile.TemporaryDirectory() as folder:
        mock, port, admin = free_ports(3)
        config = os.path.join(folder, "rotary.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(port=port, admin=admin, mock=mock, zeros="0" * 64))
        log = open(os.path.join(folder, "log"), "w", encoding="utf-8")
        running = [subprocess.Popen(command, stdout=log, stderr=log) for command in (
            [ROTARY, "mock", "--listen", f"127.0.0.1:{mock}"], [ROTARY, "serve", "-c", config])]
        try:
            end = time.monotonic() + PATIENCE
            while get(admin, "/readyz").strip() != "ok":
                if time.monotonic() > end or running[1].poll() is not None:
                    log.flush()
                    fail("no gateway: " + open(log.name, encoding="utf-8").read())
                time.sleep(0.05)
            command = [ROTARY, "top", "--admin", f"http://127.0.0.1:{admin}"]
            top = Terminal(command, 120, 30)
            keys_do_what_they_say(top, admin)
            top.resize(70, 12)
            top.until("the new size", lambda: len(top.screen()) == 12
                      and max(map(len, top.screen())) == 70)
            top.press("q")
            top.ends(0)
            for number, deed in ((signal.SIGINT, lambda top: top.press("\x03")),
                                 (signal.SIGTERM, lambda top: top.child.terminate())):
                top = Terminal(command, 100, 20)
                top.shows("rotary ready")
                deed(top)
                top.ends(-number)
        finally:
            for one in running:
                one.terminate()
            for one in running:
                one.wait()
            log.close()
    print("top: draws, obeys, and leaves the terminal as it was")


main()
