"""./dev bench: Rotary beside its peers, workload by workload. bench/README.md says how."""
import argparse
import os
import resource
import shutil
import signal
import sys
import tempfile

from rig import machine, report
from rig.contest import Contest
from rig.peers import all_peers
from rig.peers.peer import INSTALLED, LOAD, ROOT
from rig.processes import Failed
from rig.settings import Settings
from rig.workloads import ALL, BY_NAME

BUILD = os.path.join(ROOT, "build/release")


def say(text):
    print(text, file=sys.stderr, flush=True)


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="./dev bench", description="Measures Rotary beside its peers: all workloads (an hour "
        "or so), or those that are named. Progress goes to standard error, the table to standard "
        "output; the results are written as they come.",
        epilog="Besides: './dev bench peers [NAME…]' installs the peers that apt has not, "
        "'./dev bench list' shows workloads and peers; 'instructions', 'micro' and 'soak' are "
        "benches of their own.")
    parser.add_argument("workloads", nargs="*", metavar="NAME", help="of './dev bench list'")
    parser.add_argument("--peers", metavar="A,B", help="only these, and Rotary")
    parser.add_argument("--rounds", type=int, default=6, help="of each contestant (6)")
    parser.add_argument("--seconds", type=float, default=3, help="of a round (3)")
    parser.add_argument("--beside", metavar="PATH", help="another rotary, an earlier build say")
    parser.add_argument("--binary", default=BUILD + "/rotary", help="the rotary to measure")
    parser.add_argument("--keep", metavar="NAME", help="results go to bench/results/NAME, beside "
                        "what other workloads left there; else to build/bench")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.workloads if name not in BY_NAME]
    if unknown:
        parser.error("no workload '%s'; there are %s" % (unknown[0], ", ".join(BY_NAME)))
    given.peers = given.peers.split(",") if given.peers else []
    unknown = [key for key in given.peers if key not in all_peers("")]
    if unknown:
        parser.error("no peer '%s'; there are %s" % (unknown[0], ", ".join(all_peers(""))))
    if given.rounds < 1 or given.seconds <= 0:
        parser.error("at least one round, of more than no time")
    if os.cpu_count() < 2:
        parser.error("needs two cores: one for the proxy, one for the load")
    given.load = LOAD
    for path in filter(None, (given.binary, given.beside, given.load)):
        if not os.access(path, os.X_OK):
            parser.error("no program at " + path)
    return given


def chosen_peers(given):
    return {key: peer for key, peer in all_peers(given.binary, given.beside).items()
            if not given.peers or key in given.peers or key.split("-")[0] in ("rotary", "beside")}


def contestants_of(workload, peers):
    keys = list(workload.peers)
    if "beside" in peers:
        keys.insert(keys.index("rotary") + 1, "beside")
    return [(key, peers[key]) for key in keys if key in peers]


def keep_binaries(given, folder):
    """What is measured is copied: a build meanwhile changes nothing."""
    for name in ("binary", "beside", "load"):
        path = getattr(given, name)
        if path:
            setattr(given, name, shutil.copy2(path, os.path.join(folder, name)))


def measure(arguments):
    given = parse(arguments)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    folder = os.path.join(ROOT, "bench/results/" + given.keep if given.keep else "build/bench")
    workloads = [BY_NAME[name] for name in given.workloads] or ALL
    with tempfile.TemporaryDirectory(prefix="rig-") as temporary:
        keep_binaries(given, temporary)
        peers = chosen_peers(given)
        settings = Settings(given.rounds, given.seconds, given.load, temporary, given.binary)
        results = report.Results(folder, fresh=not given.keep)
        results.begin(machine.describe(), machine.revision(ROOT), peers)
        for number, workload in enumerate(workloads, 1):
            say("[%d/%d] %s: %s" % (number, len(workloads), workload.name, workload.title))
            try:
                record = Contest(workload, contestants_of(workload, peers), settings, say).run()
                results.add(record)
                say("[%d/%d] %s: %d s" % (number, len(workloads), workload.name,
                                          record["seconds"]))
            except Failed as failure:
                say("%s can't be measured: %s" % (workload.name, failure))
        print(results.table())
        say("the results are in " + os.path.relpath(folder, ROOT))


def install(names):
    """Those that apt has are the business of ./dev."""
    failed = False
    os.makedirs(INSTALLED, exist_ok=True)
    for key, peer in all_peers("").items():
        if key == "envoy-jwt" or (names and key not in names):
            continue
        if peer.own_install and peer.missing():
            try:
                say("installing " + peer.name)
                peer.install()
            except RuntimeError as error:
                failed = failed or key in names
                say("%s can't be had: %s" % (peer.name, error))
    return 1 if failed else 0


def show():
    for workload in ALL:
        print("%-18s %s" % (workload.name, workload.title))
    print()
    for key, peer in all_peers(BUILD + "/rotary").items():
        print("%-18s %s" % (key, peer.missing() or peer.version()))


def main():
    def stop(*_):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, stop)
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        if command == "peers":
            return install(sys.argv[2:])
        if command == "list":
            show()
        else:
            measure(sys.argv[1:])
    except KeyboardInterrupt:
        say("stopped; what was measured until then is written")
        return 130
    return 0


sys.exit(main())
