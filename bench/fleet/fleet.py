"""Several gateways that share a Redis, with what stands behind them."""
import http.client
import json
import os
import re
import shutil
import subprocess
import time

from rig import machine
from rig.peers.peer import ROOT
from rig.processes import Failed, Talker, free_port, poll

HERE = os.path.join(ROOT, "bench/fleet")


class Redis:
    """A redis-server of its own, nothing of it on disk."""

    def __init__(self, stage, name="redis"):
        if not shutil.which("redis-server"):
            raise Failed("no redis-server: apt-get install redis-server")
        self.port = free_port()
        self.process = stage.start(name, [
            "redis-server", "--port", self.port, "--bind", "127.0.0.1", "--save", "",
            "--appendonly", "no"], range(os.cpu_count()))
        if not poll(lambda: self.ask("PING") == "PONG", 20):
            raise Failed("redis-server does not answer")

    def ask(self, *words):
        done = subprocess.run(["redis-cli", "-p", str(self.port), *words], capture_output=True,
                              text=True, check=False)
        return done.stdout.strip()

    def scripts(self):
        """How many scripts it has run."""
        found = re.findall(r"^cmdstat_eval(?:sha)?:calls=(\d+)", self.ask("INFO", "commandstats"),
                           re.M)
        return sum(map(int, found))


class Replica:
    """One gateway. Not started before start()."""

    def __init__(self, fleet, number):
        self.fleet, self.number = fleet, number
        self.port, self.admin = free_port(), free_port()
        self.folder = os.path.join(fleet.folder, "replica-%d" % number)
        self.process = None

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        with open(os.path.join(HERE, "gateway/rotary.yaml"), encoding="utf-8") as file:
            text = file.read()
        if self.fleet.redis_port:
            text += "state:\n  redis: {url: redis://127.0.0.1:%d, namespace: %s}\n" % (
                self.fleet.redis_port, self.fleet.namespace)
        with open(self.folder + "/rotary.yaml", "w", encoding="utf-8") as file:
            file.write(text)
        self.process = self.fleet.stage.start(
            "replica-%d" % self.number,
            [self.fleet.settings.binary, "serve", "-c", self.folder + "/rotary.yaml"],
            range(os.cpu_count()), self.fleet.words | {
                "GATEWAY_PORT": str(self.port), "ADMIN_PORT": str(self.admin)})
        if not poll(lambda: self.process.poll() is not None or self.stands(), 30):
            raise Failed("a gateway did not become ready")
        if self.process.poll() is not None:
            raise Failed("a gateway ended: " + machine.read(self.process.log)[-400:])

    def stands(self):
        try:
            status, text = self.admin_get("/readyz")
            if status != 200:
                return False
            if not self.fleet.redis_port:
                return True
            fleet = json.loads(self.admin_get("/api/v1/status")[1]).get("fleet", {})
            return fleet.get("state") == "connected" and fleet.get("replicas", 0) >= 1
        except (OSError, http.client.HTTPException):
            return False

    def admin_get(self, path):
        client = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=5)
        try:
            client.request("GET", path)
            answer = client.getresponse()
            return answer.status, answer.read().decode()
        finally:
            client.close()


class Fleet:
    """`count` gateways and a provider, in one folder, sharing one Redis or none."""

    serial = 0

    def __init__(self, settings, folder, stage, count, **how):
        """`how`: redis (a port, none: each by itself), provider (a port), words of the
        configuration."""
        Fleet.serial += 1
        self.settings, self.stage = settings, stage
        self.folder = os.path.join(folder, "fleet-%d" % Fleet.serial)
        os.makedirs(self.folder)
        self.namespace = "bench-%d" % Fleet.serial  # counters and suspensions of its own
        self.redis_port = how.get("redis")
        self.words = {"CERTS": settings.certs, "ISSUER": settings.issuer,
                      "UPSTREAM_PORT": str(how["provider"])} | how.get("words", {})
        self.replicas = [Replica(self, number) for number in range(count)]
        for replica in self.replicas:
            replica.start()
        if self.redis_port and not poll(self._know_each_other, 30):
            raise Failed("the replicas do not see each other")

    def _know_each_other(self):
        seen = [json.loads(replica.admin_get("/api/v1/status")[1])["fleet"]["replicas"]
                for replica in self.replicas]
        return all(count == len(self.replicas) for count in seen)

    def load(self, rates, seconds, path):
        """So many requests a second at each replica, for some seconds; of 0 as many as it can take.
        The clients' counts."""
        talkers = [Talker(self.stage, "load-%d" % replica.number, [
            self.settings.load, "clients", "--port", replica.port, "--path", path, "--ca",
            self.settings.certs + "/dev-ca.crt", "--tokens", self.settings.tokens(1),
            "--connections", 16, "--seconds", seconds, "--rate", rate],
            range(os.cpu_count())) for replica, rate in zip(self.replicas, rates)]
        for talker in talkers:
            talker.go()
        counts = [talker.answer() for talker in talkers]
        for talker in talkers:
            talker.close()
        return counts

    def cpu_ns(self):
        return sum(machine.cpu_ns(replica.process.pid) for replica in self.replicas)

    def end(self):
        for replica in self.replicas:
            self.stage.end(replica.process)


def delayed(stage, port, milliseconds):
    """A port that leads to another by a wire of that length."""
    if milliseconds == 0:
        return port
    near = free_port()
    process = stage.start("wire-%g" % milliseconds, [
        "python3", os.path.join(HERE, "delayed.py"), "--port", near, "--to", port, "--ms",
        milliseconds], range(os.cpu_count()), stdout=subprocess.PIPE)
    if process.stdout.readline().strip() != b"ready":
        raise Failed("the wire does not stand")
    return near


def wait_for_room(period, seconds):
    """Waits until the running period of the clock has that many seconds left."""
    left = period - time.time() % period
    if left < seconds:
        time.sleep(left + 0.05)
