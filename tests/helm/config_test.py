"""What is mounted into a pod is a configuration that `rotary check` takes, and one that serves: its
probes answer, the rest of the admin port wants the token, certificates and ConfigMaps are renewed
while it runs."""
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

import yaml

from chart import CASES, ROOT, ROTARY, render
from mounted import Pod, certificates

sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
from checks import free_ports

PATIENCE = 60  # a net for a loaded machine; nothing is measured with it
TOKEN = "0123456789abcdef0123456789abcdef"


def known_keys():
    schema = subprocess.run([ROTARY, "schema", "rotary"], capture_output=True, check=True).stdout
    return set(json.loads(schema)["properties"])


def check(pod):
    done = subprocess.run([ROTARY, "check", "-c", pod.config], env=pod.environment,
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def serving(pod):
    """The command; it ends with the test, however that ends."""
    return ["setpriv", "--pdeathsig", "TERM", ROTARY, "serve", "-c", pod.config]


def first_of(chain):
    end = "-----END CERTIFICATE-----"
    return ssl.PEM_cert_to_DER_cert(chain[:chain.index(end)] + end)


class Secrets:
    """Those that the values name."""

    def __init__(self, folder):
        self.first = certificates(os.path.join(folder, "first"))
        tls = {name: self.first[name] for name in ("tls.crt", "tls.key")}
        self.all = {"rotary-tls": tls, "llm-tls": tls,
                    "provider-keys": {"one": "sk-one"},
                    "operator": {"admin-token": TOKEN},
                    "redis": {"password": "secret", "ca.crt": self.first["ca.crt"]}}


class Checked(unittest.TestCase):
    def test_each_case(self):
        known = known_keys()
        with tempfile.TemporaryDirectory() as folder:
            secrets = Secrets(folder).all
            for case in CASES:
                with self.subTest(case):
                    pod = Pod(render(case), secrets, os.path.join(folder, case))
                    with open(pod.config, encoding="utf-8") as file:
                        config = yaml.safe_load(file)
                    if set(config) - known:
                        self.skipTest("%s: not served by this binary: %s" % (
                            case, ", ".join(sorted(set(config) - known))))
                    status, said = check(pod)
                    self.assertEqual(status, 0, said)
                    self.assertIn("the configuration is right", said)
                    self.assertNotIn("resources[", said)

    def test_a_mistake_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            more = ("--set", "config.limits.body_bytes=0")
            pod = Pod(render("served", *more), Secrets(folder).all, os.path.join(folder, "pod"))
            status, said = check(pod)
            self.assertEqual(status, 1)
            self.assertIn("limits.body_bytes", said)


    def test_the_pages_example(self):
        """docs/helm.md begins with values: they are taken, and serve."""
        with open(os.path.join(ROOT, "docs/helm.md"), encoding="utf-8") as page:
            values = page.read().split("```yaml\n")[1].split("```")[0]
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "values.yaml")
            with open(file, "w", encoding="utf-8") as out:
                out.write(values)
            secrets = Secrets(folder).all | {"provider-keys": {"openai": "sk-one"}}
            objects = render("default", "--values", file)
            status, said = check(Pod(objects, secrets, os.path.join(folder, "pod")))
            self.assertEqual(status, 0, said)
            self.assertNotIn("warning", said)


class Served(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        ports = dict(zip(("requests", "admin"), free_ports(2)))
        self.secrets = Secrets(self.folder.name)
        self.pod = Pod(render("served"), self.secrets.all, os.path.join(self.folder.name, "pod"),
                       ports)
        self.log = open(os.path.join(self.folder.name, "log"), "w+", encoding="utf-8")
        self.addCleanup(self.log.close)
        self.gateway = subprocess.Popen(serving(self.pod), env=self.pod.environment,
                                        stdout=self.log, stderr=self.log)
        self.addCleanup(self.end)
        self.eventually(lambda: self.ask("/readyz") == 200)

    def end(self):
        if self.gateway.poll() is None:
            self.gateway.send_signal(signal.SIGKILL)
        self.gateway.wait()

    def eventually(self, holds):
        until = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > until or self.gateway.poll() is not None:
                self.log.seek(0)
                self.fail("it never came; %s" % self.log.read()[-4000:])
            time.sleep(0.02)

    def get(self, path, token=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.pod.ports["admin"], timeout=PATIENCE)
        try:
            headers = {"authorization": "Bearer " + token} if token else {}
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()

    def ask(self, path, token=None):
        return self.get(path, token)[0]

    def certificate(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", self.pod.ports["requests"])) as plain:
            with context.wrap_socket(plain) as one:
                return one.getpeercert(binary_form=True)

    def test_pod(self):
        with self.subTest("probes and metrics want no token, all else does"):
            for path in ("/livez", "/readyz", "/metrics"):
                self.assertEqual(self.ask(path), 200, path)
            for path in ("/api/v1/status", "/api/v1/config", "/api/v1/models"):
                self.assertEqual((self.ask(path), self.ask(path, TOKEN)), (401, 200), path)

        with self.subTest("what the notes say to run in a pod"):
            for command in ("status", "check", "healthcheck"):
                done = subprocess.run([ROTARY, command, "-c", self.pod.config],
                                      env=self.pod.environment, capture_output=True, text=True,
                                      check=False)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

        with self.subTest("a Secret of TLS is renewed"):
            before = self.certificate()
            renewed = certificates(os.path.join(self.folder.name, "renewed"))
            self.pod.volumes["/etc/rotary/tls"].publish(
                {name: renewed[name] for name in ("tls.crt", "tls.key")})
            self.eventually(lambda: self.certificate() != before)
            self.assertEqual(self.certificate(), first_of(renewed["tls.crt"].decode()))

        with self.subTest("a ConfigMap is renewed"):
            with open(self.pod.config, encoding="utf-8") as file:
                config = yaml.safe_load(file)
            config["routing"] = {"max_attempts": 7}
            self.pod.volumes["/etc/rotary/config"].publish({"rotary.yaml": yaml.safe_dump(config)})
            self.eventually(lambda: '"max_attempts":7' in
                            self.get("/api/v1/config", TOKEN)[1].replace(" ", ""))

        with self.subTest("the admin token is renewed"):
            other = TOKEN[::-1]
            self.pod.volumes["/etc/rotary/admin"].publish({"admin-token": other})
            self.eventually(lambda: self.ask("/api/v1/status", other) == 200)
            self.assertEqual(self.ask("/api/v1/status", TOKEN), 403)

        with self.subTest("SIGTERM drains, and ends with 0"):
            self.gateway.send_signal(signal.SIGTERM)
            self.assertEqual(self.gateway.wait(PATIENCE), 0)


if __name__ == "__main__":
    unittest.main()
