"""What is measured of a fleet. Each gives rows of figures, as dicts with the same keys."""
import datetime
import http.client
import json
import statistics
import threading

from fleet.fleet import Fleet, delayed, wait_for_room
from rig.processes import Talker, free_port, poll

PLENTY = 1_000_000_000
PATH = "/chat/1.0/chat/completions"
CYCLES = 12          # times that a quota ends
QUOTA, WINDOW = 20, 2  # requests in so many seconds, of the scarce model


class Bench:
    """What all experiments share: the provider, the Redis, the folder."""

    def __init__(self, settings, folder, stage, redis):
        self.settings, self.folder, self.stage, self.redis = settings, folder, stage, redis
        self.provider = free_port()
        self.talker = Talker(stage, "provider", [settings.load, "provider", "--port",
                                                 self.provider], range(64)[:settings.cores])

    def fleet(self, count, redis=None, requests=PLENTY, quota_port=1):
        return Fleet(self.settings, self.folder, self.stage, count, redis=redis,
                     provider=self.provider,
                     words={"REQUESTS": str(requests), "QUOTA_PORT": str(quota_port)})


def calls(bench, counts, rates, seconds):
    """Scripts that Redis runs a second, beside requests with four limits and a budget."""
    rows = []
    for count in counts:
        for rate in rates:
            fleet = bench.fleet(count, redis=bench.redis.port)
            fleet.load([rate / count] * count, 2, PATH)  # leases grow to what is used
            before = bench.redis.scripts()
            answered = fleet.load([rate / count] * count, seconds, PATH)
            scripts = bench.redis.scripts() - before
            requests = sum(one["requests"] for one in answered)
            rows.append({"replicas": count, "requests_a_second": rate,
                         "answered": requests, "not_200": sum(one["status"] for one in answered),
                         "scripts_a_second": scripts / seconds,
                         "scripts_a_request": scripts / max(1, requests)})
            fleet.end()
    return rows


def overshoot(bench, count, delays, limit, seconds):
    """One limit over all replicas, half again as much asked: what was let in, evenly spread and
    nine tenths of it at one replica."""
    rows = []
    for delay in delays:
        wire = delayed(bench.stage, bench.redis.port, delay)
        for name, shares in (("even", [1 / count] * count),
                             ("90 % at one", [0.9] + [0.1 / (count - 1)] * (count - 1))):
            wait_for_room(3600, seconds + 30)
            fleet = bench.fleet(count, redis=wire, requests=limit)
            before = bench.redis.scripts()
            rate = 1.5 * limit / seconds
            answered = fleet.load([rate * share for share in shares], seconds, PATH)
            let_in = sum(one["requests"] for one in answered)
            rows.append({"wire_ms": delay, "traffic": name, "limit": limit, "let_in": let_in,
                         "over": let_in - limit,
                         "refused": sum(one["status"] for one in answered),
                         "scripts": bench.redis.scripts() - before,
                         "p99_ms": max(one["p99"] for one in answered) / 1000})
            fleet.end()
    return rows


class Seen:
    """What the stand-in provider has had, which remembers its last thousand requests alone."""

    def __init__(self, port):
        self.port, self.count, self.requests = port, 0, []

    def look(self):
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        client.request("GET", "/__mock/requests")
        told = json.loads(client.getresponse().read())
        client.close()
        new = told["count"] - self.count
        assert new <= len(told["requests"]), "requests were forgotten before they were read"
        self.count = told["count"]
        for one in told["requests"][len(told["requests"]) - new:]:
            at = datetime.datetime.fromisoformat(one["time"].replace("Z", "+00:00"))
            self.requests.append((at.timestamp(), json.loads(one["body"])["model"]))

    def during(self, work):
        """Looks each second while `work` is done, and once behind it."""
        worker = threading.Thread(target=work)
        worker.start()
        while worker.is_alive():
            worker.join(1)
            self.look()
        return self.requests


def refused_in_each_cycle(requests):
    """For each time that the quota of the scarce model ended: how long after its first refusal each
    further request to it came, in milliseconds."""
    cycles, window_ends, answered = [], 0.0, 0
    for at, model in requests:
        if model != "scarce":
            continue
        if at >= window_ends:
            window_ends, answered = at + WINDOW, 0
        answered += 1
        if answered == QUOTA + 1:
            cycles.append((at, []))
        elif answered > QUOTA + 1:
            cycles[-1][1].append((at - cycles[-1][0]) * 1000)
    return [late for _, late in cycles]


def suspension(bench, counts, delays, rate):
    """From the 429 that one replica reads to the last request that another sends to that model."""
    rows = []
    for count in counts:
        for delay in [None] + list(delays):
            port = free_port()
            mock = bench.stage.start("mock", [
                bench.settings.binary, "mock", "--listen", "127.0.0.1:%d" % port, "--quota",
                "scarce=%d/%ds" % (QUOTA, WINDOW)], range(bench.settings.cores))
            wire = None if delay is None else delayed(bench.stage, bench.redis.port, delay)
            if not poll(lambda: answers(port), 10):
                raise RuntimeError("the stand-in provider does not answer")
            fleet = bench.fleet(count, redis=wire, quota_port=port)
            requests = Seen(port).during(lambda: fleet.load(
                [rate / count] * count, CYCLES * (WINDOW + 0.5), "/quota/1.0/chat/completions"))
            cycles = refused_in_each_cycle(requests)
            late = sorted(time for cycle in cycles for time in cycle)
            rows.append({
                "replicas": count, "wire_ms": "no Redis" if delay is None else delay,
                "quota_ended": len(cycles),
                "refused_besides_the_first": sum(len(cycle) for cycle in cycles) / max(
                    1, len(cycles)),
                "last_ms_p50": statistics.median(
                    [max(cycle, default=0.0) for cycle in cycles] or [0]),
                "last_ms_most": late[-1] if late else 0.0})
            fleet.end()
            bench.stage.end(mock)
    return rows


def answers(port):
    try:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        client.request("GET", "/__mock/usage")
        return client.getresponse().status == 200
    except OSError:
        return False


def cost(bench, rounds, seconds, rate):
    """CPU time a request with four limits and a budget: shared, and each replica by itself."""
    with_redis = bench.fleet(1, redis=bench.redis.port)
    alone = bench.fleet(1)
    for fleet in (with_redis, alone):
        fleet.load([rate], 1, PATH)
    figures = {"shared": [], "alone": []}
    for number in range(rounds):
        pair = [("shared", with_redis), ("alone", alone)]
        for name, fleet in pair if number % 2 == 0 else reversed(pair):
            before = fleet.cpu_ns()
            answered = fleet.load([rate], seconds, PATH)
            took = fleet.cpu_ns() - before
            figures[name].append(took / 1000 / max(1, sum(one["requests"] for one in answered)))
    ratios = [a / b for a, b in zip(figures["shared"], figures["alone"])]
    with_redis.end()
    alone.end()
    return [{"rate": rate or "saturated", "alone_us": statistics.median(figures["alone"]),
             "shared_us": statistics.median(figures["shared"]),
             "ratio": statistics.median(ratios), "rounds": rounds}]
