"""Does what a page of docs/ says, as its reader would, and compares what is printed.

usage: run.py PAGE ROTARY   the page, and the binary

Ports of the pages are other ones here, so that pages can be tried side by side.
"""
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import page

PORTS = ("9095", "9096", "9901", "9902", "8081", "8082", "8443", "6390")
SECONDS = 60  # of one command
ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
from checks import free_ports


class Failed(Exception):
    pass


class Shell:
    """One bash, in a folder of its own; with all that it starts it ends with the page."""

    def __init__(self, folder, rotary):
        self.ports = dict(zip(PORTS, map(str, free_ports(len(PORTS)))))
        bin_folder = os.path.join(folder, ".bin")
        os.mkdir(bin_folder)
        os.symlink(os.path.realpath(rotary), os.path.join(bin_folder, "rotary"))
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("ROTARY_")}
        # The libraries that ./dev test installs for tests/clients, found as if for the page's folder.
        clients = os.environ.get("ROTARY_CLIENTS", os.path.join(ROOT, "build/clients"))
        with open(os.path.join(bin_folder, "python"), "w", encoding="utf-8") as script:
            script.write('#!/bin/sh\nexec "%s/frameworks/bin/python" "$@"\n' % clients)
            os.fchmod(script.fileno(), 0o755)
        os.symlink(os.path.join(clients, "node/node_modules"), os.path.join(folder, "node_modules"))
        environment |= {"PATH": "%s:%s:/usr/sbin" % (bin_folder, environment["PATH"]),
                        "NO_COLOR": "1", "HOME": folder, "LC_ALL": "C.UTF-8", "SOURCE": ROOT}
        self.folder = folder
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"], cwd=folder, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True)

    def real(self, text):
        """With the ports that are used here."""
        return re.sub(r"\b(%s)\b" % "|".join(PORTS), lambda m: self.ports[m.group()], text)

    def write(self, file):
        path = os.path.join(self.folder, file.name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(self.real(file.text))

    def run(self, command):
        """(status, lines)"""
        text = self.real(command.text)
        if command.is_background:
            text = text[:-1] + ">>background.log 2>&1 &"
        mark = "\x01done "
        self.process.stdin.write("%s\nprintf '%s%%s\\n' $?\n" % (text, mark))
        self.process.stdin.flush()
        signal.alarm(SECONDS)
        printed = ""
        while mark not in printed:
            line = self.process.stdout.readline()
            if not line:
                raise Failed("the shell ended: %s" % printed[-2000:])
            printed += line
        signal.alarm(0)
        said, status = printed.split(mark)
        if command.is_background:
            self.wait_for(text)
        return int(status), said.splitlines()

    def wait_for(self, text):
        """Until what was started can be asked, as a reader would."""
        listens = re.search(r"(?:--listen \S*:|http\.server )(\d+)", text)
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            if listens and self.accepts(int(listens.group(1))) or not listens and self.is_ready():
                return
            time.sleep(0.02)
        raise Failed("%s: not ready; %s" % (text, self.background()))

    @staticmethod
    def accepts(port):
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", port)) == 0

    def is_ready(self):
        try:
            url = "http://127.0.0.1:%s/readyz" % self.ports["9901"]
            return urllib.request.urlopen(url, timeout=5).status == 200
        except OSError:
            return False

    def background(self):
        try:
            with open(os.path.join(self.folder, "background.log"), encoding="utf-8") as log:
                return log.read()[-4000:]
        except OSError:
            return ""

    def end(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


def follow(path, rotary):
    with open(path, encoding="utf-8") as file:
        steps = page.read(file.read())
    ran = 0
    for step in steps:
        if isinstance(step, page.Skipped):
            print("%s:%d: not run: %s" % (path, step.line, step.why))
    with tempfile.TemporaryDirectory(prefix="docs-") as folder:
        shell = Shell(folder, rotary)
        try:
            for step in steps:
                if isinstance(step, page.File):
                    shell.write(step)
                    continue
                if isinstance(step, page.Skipped):
                    continue
                status, printed = shell.run(step)
                ran += 1
                expected = [shell.real(line) for line in step.prints]
                if status != step.status or not page.matches(expected, printed):
                    raise Failed("%s:%d: $ %s\nexit %d, and it printed:\n%s\n%s" % (
                        path, step.line, step.text, status, "\n".join(printed),
                        shell.background()))
        finally:
            shell.end()
    return ran


def main():
    def late(*_):
        raise Failed("a command took more than %d s" % SECONDS)
    signal.signal(signal.SIGALRM, late)
    try:
        ran = follow(sys.argv[1], sys.argv[2])
    except (Failed, page.Unreadable) as failure:
        sys.exit(str(failure))
    print("%s: %d commands" % (os.path.basename(sys.argv[1]), ran))


if __name__ == "__main__":
    main()
