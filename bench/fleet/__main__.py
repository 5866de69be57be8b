"""./dev bench fleet: what it costs, and how exact it is, that replicas act as one."""
import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile

from fleet import experiments
from fleet.fleet import Redis
from rig import machine, plot
from rig.settings import Settings
from rig.peers.peer import LOAD, ROOT
from rig.processes import Stage

TITLES = {
    "calls": "Calls to Redis beside the traffic",
    "overshoot": "One limit over all replicas, half again as much asked",
    "suspension": "From a 429 at one replica to the last request at another",
    "cost": "CPU time a request with four limits and a budget",
    "limits": "Simulated: one limit, half again as much asked, one minute",
    "suspensions": "Simulated: a quota ends, 2,000 requests a second",
    "weights": "Simulated: how far 100,000 picks stray from exact shares",
}
SIMULATED = ("limits", "suspensions", "weights")
SIMULATION = os.path.join(ROOT, "build/release/bench/fleet_simulation")


def say(text):
    print(text, file=sys.stderr, flush=True)


def cell(value):
    if isinstance(value, float):
        return "%.3g" % value if value < 100 else format(round(value), ",")
    return format(value, ",") if isinstance(value, int) else str(value)


def table(rows):
    names = list(rows[0])
    lines = ["| " + " | ".join(name.replace("_", " ") for name in names) + " |",
             "|" + "---|" * len(names)]
    return "\n".join(lines + ["| " + " | ".join(cell(row[name]) for name in names) + " |"
                              for row in rows])


def pictures(found):
    drawn = {}
    if "calls" in found:
        rates = sorted({row["requests_a_second"] for row in found["calls"]})
        series = {}
        for row in found["calls"]:
            series.setdefault("%d replicas" % row["replicas"], {})[
                row["requests_a_second"]] = row["scripts_a_second"]
        drawn["calls.svg"] = plot.lines(
            "Scripts that Redis runs", {name: [values.get(rate) for rate in rates]
                                        for name, values in series.items()},
            ["%d/s" % rate for rate in rates], "a second, by requests a second")
    if "suspension" in found:
        drawn["suspension.svg"] = plot.bars(
            "Refused tries besides the first, each time a quota ends",
            [("%d replicas, %s" % (row["replicas"], row["wire_ms"] if isinstance(
                row["wire_ms"], str) else "wire %g ms" % row["wire_ms"]),
              [("tries", max(0.01, row["refused_besides_the_first"]))])
             for row in found["suspension"]])
    return drawn


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="./dev bench fleet", description="Several gateways and one Redis on this machine; "
        "and up to a thousand on a moved clock, by the same code. Progress goes to standard "
        "error, tables to standard output.")
    parser.add_argument("what", nargs="*", choices=[[], *TITLES], help=", ".join(TITLES))
    parser.add_argument("--replicas", default="2,5", metavar="N,…", help="2,5 if not said")
    parser.add_argument("--wire", default="0,1,5", metavar="MS,…",
                        help="delays of the wire to Redis, each way (0,1,5)")
    parser.add_argument("--seconds", type=float, default=10, help="of a measurement (10)")
    parser.add_argument("--rounds", type=int, default=8, help="of the CPU's (8)")
    parser.add_argument("--binary", default=os.path.join(ROOT, "build/release/rotary"))
    parser.add_argument("--keep", metavar="NAME", help="results go to bench/results/NAME")
    given = parser.parse_args(arguments)
    for path in (given.binary, LOAD, SIMULATION):
        if not os.access(path, os.X_OK):
            parser.error("no program at " + path)
    return given


def simulated(name):
    lines = subprocess.run([SIMULATION, name], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    rows = [json.loads(line) for line in lines]
    for row in rows:
        del row["what"]
    return rows


def measure(given, folder, stage):
    settings = Settings(given.rounds, given.seconds, LOAD, folder, given.binary)
    settings.cores = os.cpu_count()
    os.environ["BENCH"] = os.path.join(ROOT, "bench")
    bench = experiments.Bench(settings, folder, stage, Redis(stage))
    counts = [int(word) for word in given.replicas.split(",")]
    wires = [float(word) for word in given.wire.split(",")]
    steps = {
        "calls": lambda: experiments.calls(bench, counts, (50, 200, 1000), given.seconds),
        "overshoot": lambda: experiments.overshoot(bench, 3, wires, 1500, given.seconds),
        "suspension": lambda: experiments.suspension(bench, counts, wires, 150),
        "cost": lambda: [row for rate in (0, 1000) for row in experiments.cost(
            bench, given.rounds, 3, rate)],
    }
    for name in SIMULATED:
        steps[name] = lambda name=name: simulated(name)
    found = {}
    for name, step in steps.items():
        if given.what and name not in given.what:
            continue
        say(name + " …")
        found[name] = step()
        print("## %s\n\n%s\n" % (TITLES[name], table(found[name])), flush=True)
    return found


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    given = parse(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder, Stage(folder) as stage:
        found = measure(given, folder, stage)
    if given.keep:
        kept = os.path.join(ROOT, "bench/results", given.keep)
        os.makedirs(kept, exist_ok=True)
        with open(kept + "/fleet.json", "w", encoding="utf-8") as file:
            json.dump({"machine": machine.describe(), "revision": machine.revision(ROOT),
                       "found": found}, file, indent=1)
        for name, picture in pictures(found).items():
            with open(os.path.join(kept, name), "w", encoding="utf-8") as file:
                file.write(picture)


if __name__ == "__main__":
    main()
