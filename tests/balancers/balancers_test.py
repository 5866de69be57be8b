"""The files of deploy/haproxy and deploy/nginx in front of two gateways: streams run through, one
gateway drains under load and no request is lost, it is passed over and comes back; clients'
addresses arrive; time-outs are longer than Rotary's own.

usage: balancers_test.py haproxy | nginx | stream; ROTARY_BIN is the gateway's binary
"""
import concurrent.futures
import http.client
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
from checks import free_ports

ROTARY = os.environ.get("ROTARY_BIN", os.path.join(ROOT, "build/release/rotary"))
PATIENCE = 60  # a net for a loaded machine; nothing is measured with it
TOKENS = 30
WHICH = sys.argv.pop(1) if len(sys.argv) > 1 else "haproxy"
FILES = {"haproxy": "haproxy/haproxy.cfg", "nginx": "nginx/nginx.conf", "stream": "nginx/stream.conf"}
PROGRAM = {"haproxy": "haproxy", "nginx": "nginx", "stream": "nginx"}[WHICH]
PROXIES = {"trusted": ["127.0.0.1"]} | (
    {"protocol": True} if WHICH == "stream" else {"field": "x-forwarded-for"})
# A file has this line, and here that one. Each must be there.
HERE = {
    "haproxy": {":443 ssl": "127.0.0.1:{front} ssl", "10.0.0.11:9095 port 9901": "127.0.0.1:{a} port {admin_a}",
                "10.0.0.12:9095 port 9901": "127.0.0.1:{b} port {admin_b}",
                "/etc/haproxy/llm.pem": "{folder}/llm.pem",
                "/etc/haproxy/rotary-ca.crt": "{folder}/dev-ca.crt", "llm.example.com": "localhost"},
    "nginx": {"listen 443": "listen 127.0.0.1:{front}", "10.0.0.11:9095": "127.0.0.1:{a}",
              "10.0.0.12:9095": "127.0.0.1:{b}", "/run/nginx.pid": "{folder}/nginx.pid",
              "/etc/nginx/llm.crt": "{folder}/dev-server.crt",
              "/etc/nginx/llm.key": "{folder}/dev-server.key",
              "/etc/nginx/rotary-ca.crt": "{folder}/dev-ca.crt", "llm.example.com": "localhost"},
    "stream": {"listen 443": "listen 127.0.0.1:{front}", "10.0.0.11:9095": "127.0.0.1:{a}",
               "10.0.0.12:9095": "127.0.0.1:{b}", "/run/nginx.pid": "{folder}/nginx.pid"},
}[WHICH]


def shipped():
    with open(os.path.join(ROOT, "deploy", FILES[WHICH]), encoding="utf-8") as file:
        return file.read()


class Answer:
    def __init__(self, status, body, seconds):
        self.status, self.body, self.seconds = status, body, seconds

    @property
    def is_whole_stream(self):
        return self.status == 200 and self.body.rstrip().endswith("data: [DONE]")


class Behind(unittest.TestCase):
    change = staticmethod(lambda text: text)  # of the shipped file, for one test

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder, self.processes = scratch.name, {}
        self.addCleanup(self.end_all)
        self.prepare()
        # Another process may take a port between the look and the bind: once more with others, then.
        try:
            self.start_all()
        except self.failureException:
            if not any("ddress already in use" in self.log(name) for name in self.processes):
                raise
            self.end_all()
            self.start_all()

    def prepare(self):
        subprocess.run([os.path.join(ROOT, "certs/make-certs.sh"), "--quiet", "--dir", self.folder],
                       check=True)
        with open(self.path("llm.pem"), "w", encoding="utf-8") as pem:
            for name in ("dev-server.crt", "dev-server.key"):
                with open(self.path(name), encoding="utf-8") as part:
                    pem.write(part.read())
        made = subprocess.run([ROTARY, "key", "new", "--consumer", "tests"], capture_output=True,
                              text=True, check=True)
        self.key = made.stdout.strip()
        os.mkdir(self.path("keys"))
        self.write("keys/tests.yaml", made.stderr)

    def start_all(self):
        names = ("front", "a", "b", "admin_a", "admin_b", "mock")
        self.ports = dict(zip(names, free_ports(len(names))))
        self.processes = {}
        self.start("mock", ROTARY, "mock", "--listen", "127.0.0.1:%d" % self.ports["mock"],
                   "--tokens", str(TOKENS), "--chunk-interval", "100ms")
        self.start_gateway("a")
        self.start_gateway("b")
        self.eventually("both are ready", lambda: self.is_ready("a") and self.is_ready("b"))
        self.start_front(self.change(shipped()))

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def start(self, name, *command):
        with open(self.path(name + ".log"), "ab") as log:
            # What is ended from outside, by a time-out, leaves nothing running.
            self.processes[name] = subprocess.Popen(("setpriv", "--pdeathsig", "TERM", *command),
                                                    stdout=log, stderr=log, start_new_session=True)

    def end_all(self):
        for one in self.processes.values():
            if one.poll() is None:
                os.killpg(one.pid, signal.SIGKILL)
            one.wait()

    def log(self, name):
        with open(self.path(name + ".log"), encoding="utf-8") as file:
            return file.read()

    def start_gateway(self, name):
        config = {
            "listeners": [{"address": "127.0.0.1", "port": self.ports[name], "tls": {
                "certificate": "dev-server.crt", "key": "dev-server.key"}}],
            "admin": {"port": self.ports["admin_" + name]}, "proxies": PROXIES,
            "resources": ["keys/"],
            "providers": {"one": {"url": "http://127.0.0.1:%d/v1" % self.ports["mock"], "key": "none"}},
            "apis": [{"path": "/v1", "production": [{"model": "gpt-4o", "provider": "one"}]}]}
        self.start(name, ROTARY, "serve", "-c", self.write(name + ".yaml", json.dumps(config)))

    def start_front(self, text):
        for theirs, ours in HERE.items():
            self.assertIn(theirs, text)
            text = text.replace(theirs, ours.format(folder=self.folder, **self.ports))
        file = self.write("front.conf", text)
        if PROGRAM == "haproxy":
            self.start("front", "haproxy", "-f", file)
        else:
            self.start("front", "nginx", "-p", self.folder, "-c", file, "-e", "stderr",
                       "-g", "daemon off;")
        self.eventually("the balancer answers", lambda: self.ask().status == 200)

    def is_ready(self, name):
        one = http.client.HTTPConnection("127.0.0.1", self.ports["admin_" + name], timeout=5)
        try:
            one.request("GET", "/readyz")
            return one.getresponse().status == 200
        except OSError:
            return False
        finally:
            one.close()

    def eventually(self, what, holds):
        until = time.monotonic() + PATIENCE
        while not holds():
            has_died = any(one.poll() for one in self.processes.values())  # 0 is a drain's end
            if has_died or time.monotonic() > until:
                logs = "".join("%s: %s\n" % (name, self.log(name)[-2000:]) for name in self.processes)
                self.fail("it never came: %s\n%s" % (what, logs))
            time.sleep(0.02)

    def ask(self, stream=False, source="127.0.0.1", began=None):
        """One request on a connection of its own; `began` is set when its first byte is here."""
        context = ssl.create_default_context(cafile=self.path("dev-ca.crt"))
        one = http.client.HTTPSConnection("localhost", self.ports["front"], timeout=PATIENCE,
                                          context=context, source_address=(source, 0))
        body = json.dumps({"model": "any", "stream": stream,
                           "messages": [{"role": "user", "content": "hello"}]})
        start = time.monotonic()
        try:
            one.request("POST", "/v1/chat/completions", body, {
                "authorization": "Bearer " + self.key, "content-type": "application/json"})
            with one.getresponse() as answer:
                head = answer.read(1)
                if began is not None:
                    began.set()
                whole = (head + answer.read()).decode()
                return Answer(answer.status, whole, time.monotonic() - start)
        except (OSError, http.client.HTTPException) as error:
            return Answer(0, repr(error), time.monotonic() - start)
        finally:
            one.close()

    def served_by(self, name):
        return self.log(name).count('"stream":false')


class Balanced(Behind):
    def test_drain_under_load(self):
        stop, answers = threading.Event(), []

        def keep_asking():
            while not stop.is_set():
                answers.append(self.ask())
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            try:
                marks = [threading.Event() for _ in range(6)]
                streams = [pool.submit(self.ask, True, began=mark) for mark in marks]
                for mark in marks:
                    self.assertTrue(mark.wait(PATIENCE))
                load = [pool.submit(keep_asking) for _ in range(4)]
                self.drain_and_start(streams)
            finally:
                stop.set()
            for part in load:
                part.result()
        self.assertGreater(len(answers), 30)
        self.assertEqual([(one.status, one.body) for one in answers if one.status != 200], [])
        print("%s: %d requests during a drain and a start, none lost" % (WHICH, len(answers)))

    def drain_and_start(self, streams):
        self.processes["b"].send_signal(signal.SIGTERM)
        self.assertEqual(self.processes["b"].wait(PATIENCE), 0)
        before = self.served_by("a")
        self.eventually("the other serves", lambda: self.served_by("a") > before + 20)

        # Each stream went on to its end, on whichever gateway it was.
        for one in streams:
            self.assertTrue(one.result().is_whole_stream, one.result().body[-300:])
        self.assertGreater(self.log("b").count('"stream":true'), 0)

        # And back: it gets its share again.
        self.start_gateway("b")
        self.eventually("it is ready", lambda: self.is_ready("b"))
        before = self.served_by("b")
        self.eventually("it serves again", lambda: self.served_by("b") > before + 5)

    def test_whose_request_it_was(self):
        self.assertEqual(self.ask(source="127.0.0.7").status, 200)
        self.eventually("the address", lambda: '"client_address":"127.0.0.7"' in
                        self.log("a") + self.log("b"))

    def test_dead_gateway_is_passed_over(self):
        self.processes["b"].kill()
        self.processes["b"].wait()
        for _ in range(10):
            self.assertEqual(self.ask().status, 200)


class Brief(Behind):
    """The same file with 1 s in place of ten minutes: a stream may be longer, since it is not silent."""

    @staticmethod
    def change(text):
        return re.sub(r"\b600s\b", "1s", text)

    def test_stream_longer_than_the_time_out(self):
        answer = self.ask(stream=True)
        self.assertTrue(answer.is_whole_stream, answer.body[-300:])
        self.assertGreater(answer.seconds, 0.1 * (TOKENS - 2))


class TimeOuts(unittest.TestCase):
    def test_longer_than_rotarys(self):
        """Of silence: from a request's end to the first byte, and between two pieces."""
        with open(os.path.join(ROOT, "config/rotary.yaml"), encoding="utf-8") as file:
            keys = dict(re.findall(r"^  (first_byte|event_gap): (\d+)m", file.read(), re.M))
        longest = 60 * max(map(int, keys.values()))
        self.assertEqual(len(keys), 2)
        pattern = r"(?:timeout (?:client|server)|proxy_(?:read_|send_)?timeout) (\d+)s"
        found = [int(one) for one in re.findall(pattern, shipped())]
        self.assertEqual(len(found), 1 if WHICH == "stream" else 2)
        for one in found:
            self.assertGreaterEqual(one, 600)
            self.assertGreater(one, longest)


if __name__ == "__main__":
    if not shutil.which(PROGRAM, path=os.environ["PATH"] + ":/usr/sbin"):
        sys.exit("%s is not installed; './dev test' does it" % PROGRAM)
    os.environ["PATH"] += ":/usr/sbin"
    unittest.main()
