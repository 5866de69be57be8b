"""One workload: its provider, its contestants, rounds that take turns, and what was checked."""
import collections
import contextlib
import http.client
import json
import os
import re
import ssl
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

from rig import figures, machine
from rig.peers.peer import Site
from rig.processes import Failed, Stage, Talker, free_port, poll
from rig.system_calls import SystemCalls

IDLE_SECONDS = 10  # that CPU time of idle connections is counted over
IDLE_RATE = 1000   # requests a second that precede the silence: few enough not to be a flood
ERRORS = {"status": "answers other than 200", "content": "answers of another length",
          "broken": "answers that broke off"}


@dataclass
class Contestant:
    """A peer in a workload, or in one variant of it."""
    key: str
    peer: object
    label: str
    workload: object
    launch: object = None
    port: int = 0
    process: object = None
    log_reader: object = None
    log_path: str = ""
    requests: int = 0          # answered, in rounds or not
    trouble: str = ""          # why it is out
    remark: str = ""           # what else the reader of its figures has to know
    figures: dict = field(default_factory=lambda: collections.defaultdict(list))

    def stands(self):
        return not self.trouble


class Contest:
    def __init__(self, workload, peers, settings, say):
        self.workload, self.settings, self.say = workload, settings, say
        self.contestants = [
            Contestant(key, peer, ", ".join(filter(None, (peer.name, label))), varied)
            for key, peer in peers for label, varied in workload.varied()]
        self.rate = workload.rate
        self.seen = 0  # by the providers
        self.others = []

    def run(self):
        """Measures, and returns the record that the table is made of."""
        begun = time.time()
        with tempfile.TemporaryDirectory(prefix="rig-") as folder, Stage(folder) as stage:
            self.folder, self.stage = folder, stage
            providers = self._start_providers()
            for contestant in self.contestants:
                self._try(contestant, self._start)
            if self.workload.idle:
                for contestant in self._standing():
                    self._try(contestant, self._idle)
            else:
                self._measure()
            for contestant in self.contestants:
                self._stop(contestant)
            self.seen = sum(provider.close()["requests"] for provider in providers)
        return self._record(begun)

    def _standing(self):
        return [c for c in self.contestants if c.stands()]

    def _try(self, contestant, step):
        """A contestant that fails is named and out; the others go on."""
        if not contestant.stands():
            return
        try:
            step(contestant)
        except (Failed, OSError) as failure:
            self._put_out(contestant, str(failure))
            self._stop(contestant)

    def _put_out(self, contestant, why):
        contestant.trouble = why
        self.say("%s: %s: %s" % (self.workload.name, contestant.label, why))

    def _measure(self):
        for contestant in self._standing():
            self._try(contestant, self._warm_up)
        if self.rate < 0:
            self.rate = self._half_of_nginx()
        for number in range(self.settings.rounds):
            for contestant in figures.order_of_round(self._standing(), number):
                self._try(contestant, self._round)
            self.say("%s: round %d of %d: %s" % (
                self.workload.name, number + 1, self.settings.rounds, ", ".join(
                    "%s %.3g" % (c.label, c.figures["cpu_us"][-1]) for c in self._standing())))
        for contestant in self._standing():
            self._try(contestant, self._count_system_calls)

    # --- what is started ----------------------------------------------------------------------

    def _load_cores(self):
        return machine.cores(max(c.workload.workers for c in self.contestants))[1]

    def _start_providers(self):
        w, certs = self.workload, self.settings.certs
        tls = ["--certificate", certs + "/dev-server.crt", "--key", certs + "/dev-server.key"]
        self.provider_port, self.failing_port = free_port(), free_port()
        answers = ["--length", w.length, "--events", w.events, "--gap", w.gap]
        providers = [self._talk("provider", ["provider", "--port", self.provider_port] + answers +
                                (tls if w.upstream_tls else []))]
        if w.failing:
            providers.append(self._talk("failing", ["provider", "--port", self.failing_port,
                                                    "--status", 503]))
        return providers

    def _talk(self, name, arguments):
        return Talker(self.stage, name, [self.settings.load] + arguments, self._load_cores())

    def _start(self, contestant):
        peer, workload = contestant.peer, contestant.workload
        reason = peer.missing() or peer.unfit(workload)
        if reason:
            raise Failed(reason)
        folder = os.path.join(self.folder, re.sub(r"\W+", "-", contestant.label))
        os.makedirs(folder)
        certs = self.settings.rsa_certs if workload.rsa else self.settings.certs
        site = Site(folder, free_port(), free_port(), self.provider_port, self.failing_port, certs,
                    self.settings.issuer, workload)
        contestant.port, contestant.launch = site.port, peer.launch(site)
        contestant.log_path = os.path.join(folder, "access")
        begun = time.monotonic()
        contestant.process = self._start_process(contestant)
        if not poll(lambda: contestant.process.poll() is not None or self._answers(contestant)):
            raise Failed("did not answer within 90 s")
        if contestant.process.poll() is not None:
            raise Failed("ended: " + self._last_words(contestant))
        contestant.figures["start_s"].append(time.monotonic() - begun)
        if not machine.holds_port(contestant.process.pid, contestant.port):
            raise Failed("another process holds its port")

    def _last_words(self, contestant):
        """Of what it wrote, the first error, or the last line."""
        lines = machine.read(contestant.process.log).replace(self.folder + "/", "").splitlines()
        errors = [line for line in lines if "error: " in line]
        return (errors or lines[-1:] or ["without a word"])[0].strip()[:300]

    def _start_process(self, contestant):
        launch = contestant.launch
        cores, _ = machine.cores(contestant.workload.workers)
        pipes = {}
        if launch.log == "file":
            pipes["stdout"] = open(contestant.log_path, "wb")
        elif launch.log == "pipe":
            contestant.log_reader = self.stage.start(
                contestant.label + " log", ["wc", "-l"], self._load_cores(),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            pipes["stdout"] = contestant.log_reader.stdin
        process = self.stage.start(contestant.label, launch.command, cores, launch.environment,
                                   **pipes)
        for pipe in pipes.values():
            pipe.close()
        return process

    def _answers(self, contestant):
        """Whether a chat is answered by 200 by now."""
        launch = contestant.launch
        if launch.tls:
            context = ssl.create_default_context(cafile=self.settings.certs + "/dev-ca.crt")
            context.check_hostname = False
            client = http.client.HTTPSConnection("127.0.0.1", contestant.port, timeout=5,
                                                 context=context)
        else:
            client = http.client.HTTPConnection("127.0.0.1", contestant.port, timeout=5)
        headers = dict(line.split(": ", 1) for line in launch.headers)
        headers |= {"Content-Type": "application/json", "Connection": "close",
                    "Authorization": "Bearer " + (launch.token or self.settings.token)}
        question = {"model": "any", "messages": [{"role": "user", "content": "?"}]}
        if self.workload.events:
            question["stream"] = True
        try:
            client.request("POST", launch.path, json.dumps(question), headers)
            answer = client.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            client.close()
        contestant.requests += 1
        return answer.status == 200

    # --- what is measured ---------------------------------------------------------------------

    def _clients(self, contestant, amount, connections=None):
        w, launch = contestant.workload, contestant.launch
        arguments = ["clients", "--port", contestant.port, "--path", launch.path, "--body", w.body,
                     "--connections", connections or w.connections, "--tokens",
                     self._tokens_for(contestant)] + amount
        for header in launch.headers:
            arguments += ["--header", header]
        if launch.tls:
            arguments += ["--ca", self.settings.certs + "/dev-ca.crt"]
        if w.fresh:
            arguments += ["--fresh", w.fresh]
        if w.events:
            arguments.append("--stream")
        if contestant.peer.passes_as_is:
            arguments += ["--events", w.events + 1] if w.events else ["--length", w.length]
        return self._talk("clients", arguments)

    def _tokens_for(self, contestant):
        token = contestant.launch.token
        if not token:
            return self.settings.tokens(contestant.workload.tokens)
        path = os.path.join(self.folder, "token-" + contestant.key)
        with open(path, "w", encoding="utf-8") as file:
            file.write(token + "\n")
        return path

    def _ask(self, contestant, amount, around=contextlib.nullcontext()):
        """Has clients ask, checks what they got, and returns it. `around` is a context that holds
        from when the connections stand to the last answer."""
        clients = self._clients(contestant, amount)
        with around:
            clients.go()
            counts = clients.answer()
        clients.close()
        self._check(contestant, counts)
        return counts

    def _check(self, contestant, counts):
        contestant.requests += counts["requests"] + counts["status"] + counts["content"]
        wrong = ["%d %s" % (counts[key], what) for key, what in ERRORS.items() if counts[key]]
        if wrong or not counts["requests"]:
            raise Failed("; ".join(wrong) or "no answer at all")
        workload, resumed = contestant.workload, counts["resumed"] / counts["requests"]
        if (workload.fresh == "full" and resumed > 0) or (
                workload.fresh == "resumed" and resumed < 0.9):
            raise Failed("%d %% of the handshakes were resumed" % (resumed * 100))

    def _warm_up(self, contestant):
        workload = contestant.workload
        if workload.tokens > 1:
            amount = ["--requests", workload.tokens]
        elif workload.gap:
            amount = ["--requests", workload.connections]
        else:
            amount = ["--seconds", 1]
        counts = self._ask(contestant, amount)
        contestant.figures["capacity"].append(counts["requests"] / counts["seconds"])

    def _half_of_nginx(self):
        known = [c.figures["capacity"][0] for c in self._standing()]
        nginx = [c.figures["capacity"][0] for c in self._standing() if c.key == "nginx"]
        return round((nginx or known or [0])[0] / 2)

    def _round(self, contestant):
        clients = self._clients(contestant, self._amount(["--seconds", self.settings.seconds]))
        own = [process.pid for process in self.stage.running if process is not contestant.process]
        span = machine.Span(contestant.process.pid, own)
        clients.go()
        counts = clients.answer()
        cpu, others = span.end()
        clients.close()
        self._check(contestant, counts)
        self.others.append(others)
        rate = counts["requests"] / counts["seconds"]
        if self.rate > 0 and rate < 0.9 * self.rate:
            contestant.remark = "answered %d a second, not %d" % (rate, self.rate)
        units = counts["events" if self.workload.unit == "event" else "requests"]
        for name, value in (("cpu_us", cpu * 1e6 / units), ("rate", units / counts["seconds"]),
                            ("p50_us", counts["p50"]), ("p99_us", counts["p99"]),
                            ("core", cpu / counts["seconds"])):
            contestant.figures[name].append(value)

    def _amount(self, amount):
        return amount + (["--rate", self.rate] if self.rate > 0 else [])

    def _count_system_calls(self, contestant):
        capacity = contestant.figures["rate"][-1]
        number = max(self.workload.connections, min(self.workload.counted, int(capacity)))
        counter = SystemCalls(contestant.process.pid)
        counts = self._ask(contestant, self._amount(["--requests", number]), counter)
        units = counts["events" if self.workload.unit == "event" else "requests"]
        if counter.count is not None:
            contestant.figures["system_calls"].append(counter.count / units)

    def _idle(self, contestant):
        """Memory and CPU of connections that have had one answer each, and then say nothing."""
        process, number = contestant.process, self.workload.idle
        self._ask(contestant, ["--requests", 640])
        before = machine.pss(process.pid)
        clients = self._clients(contestant, ["--requests", number, "--rate", IDLE_RATE],
                                connections=number)
        clients.go()
        self._check(contestant, clients.answer())
        after = machine.pss(process.pid)
        span = machine.Span(process.pid, [clients.process.pid])
        time.sleep(IDLE_SECONDS)
        cpu, others = span.end()
        clients.close()
        self.others.append(others)
        contestant.figures["pss_bytes"].append((after - before) / number)
        contestant.figures["idle_ms_per_s"].append(cpu * 1000 / IDLE_SECONDS)

    # --- what is said -------------------------------------------------------------------------

    def _stop(self, contestant):
        """Ends it, and counts the lines of its log: one a request."""
        if contestant.process not in self.stage.running:
            return
        self.stage.end(contestant.process)
        lines = None
        if contestant.log_reader:
            lines = int(contestant.log_reader.stdout.read())
            self.stage.end(contestant.log_reader)
        elif contestant.launch.log == "file":
            with open(contestant.log_path, "rb") as file:
                lines = sum(1 for _ in file)
        if lines is not None and lines != contestant.requests and contestant.stands():
            self._put_out(contestant, "logged %d lines of %d requests" % (
                lines, contestant.requests))

    def _record(self, begun):
        asked = sum(c.requests for c in self.contestants)
        doubt = ""
        if all(c.stands() or not c.requests for c in self.contestants) and (
                not self.workload.failing and self.seen != asked):
            doubt = "The provider saw %d requests, the clients %d answers" % (self.seen, asked)
            self.say("%s: %s" % (self.workload.name, doubt))
        return {
            "name": self.workload.name, "title": self.workload.title, "unit": self.workload.unit,
            "rate": max(self.rate, 0), "begun": int(begun), "seconds": round(time.time() - begun),
            "rounds": self.settings.rounds, "round_seconds": self.settings.seconds,
            "others": round(figures.median(self.others), 3) if self.others else 0,
            "asked": asked, "seen": self.seen, "doubt": doubt,
            "contestants": [
                {"key": c.key, "label": c.label, "trouble": c.trouble, "remark": c.remark,
                 "figures": {name: [float("%.5g" % value) for value in values]
                             for name, values in c.figures.items()}} for c in self.contestants]}
