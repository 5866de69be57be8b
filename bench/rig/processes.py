"""Processes that the rig starts: pinned, logged to files, and all ended at the end."""
import json
import os
import random
import re
import signal
import socket
import subprocess
import time


class Failed(Exception):
    """What went wrong with one contestant or one workload; the others go on."""


class Stage:
    """Starts processes and ends them, whatever happens."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.running):
            self.end(process)

    def start(self, name, command, cores, environment=None, **pipes):
        """`pipes` as for Popen; what is not given goes to NAME.log. The process is told to end even
        when this one is killed."""
        log = open(os.path.join(self.folder, re.sub(r"\W+", "-", name) + ".log"), "ab")
        pipes = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log} | pipes
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "taskset", "-c", ",".join(map(str, cores))] +
            [str(word) for word in command],
            env=os.environ | (environment or {}), cwd=self.folder, start_new_session=True,
            **pipes)
        log.close()
        process.log = log.name
        self.running.append(process)
        return process

    def end(self, process):
        """By SIGTERM, as an operator would; after ten seconds by SIGKILL."""
        if process not in self.running:
            return
        self.running.remove(process)
        for ending in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, ending)
                process.wait(10)
                break
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        process.wait()


class Talker:
    """A bench_load that says "ready" and then, once asked, a line of JSON."""

    def __init__(self, stage, name, command, cores):
        self.stage = stage
        self.process = stage.start(name, command, cores, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        if self._line() != "ready":
            raise Failed(self._why(name))
        self.name = name

    def _line(self):
        return self.process.stdout.readline().decode().strip()

    def _why(self, name):
        self.stage.end(self.process)
        return "%s: %s" % (name, last_line(self.process.log) or "ended before it was ready")

    def go(self):
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()

    def answer(self):
        line = self._line()
        if not line:
            raise Failed(self._why(self.name))
        return json.loads(line)

    def close(self):
        """Ends its input, which ends it; returns what it says then."""
        self.process.stdin.close()
        rest = self.process.stdout.read().decode().strip()
        self.process.stdout.close()
        self.process.wait()
        self.stage.running.remove(self.process)
        return json.loads(rest) if rest else None


def last_line(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = [line.strip() for line in file if line.strip()]
    return lines[-1][:300] if lines else ""


given_ports = set()


def free_port():
    """Below the range that the kernel gives to outgoing connections; never the same twice."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            if port not in given_ports and probe.connect_ex(("127.0.0.1", port)) != 0:
                given_ports.add(port)
                return port


def poll(what, seconds=90):
    """Asks until the answer is true: of a foreign program there is no word to wait for."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.1)
    return False
