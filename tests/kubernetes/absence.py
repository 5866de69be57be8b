#!/usr/bin/env python3
"""An API server that is away for a while, its etcd too, under load and with one stream over all of it;
then back, with all that was known before forgotten.

usage: absence.py BUILD_FOLDER
ROTARY_ABSENCE: another number of seconds; 600 are ten minutes.
"""
import os
import shutil
import sys
import threading
import time

from cluster import PATIENCE, check, eventually, say, secret
from gateway import Gateway, Load, Stand, Stream

SECONDS = int(os.environ.get("ROTARY_ABSENCE", "8"))
# A gateway that has just begun grows by the buffers and caches of its first minute.
GROWTH_MB = 8
# One a kind, and as many for the rest.
LINES = 40
# The first of all kinds that asks finds the server there for all of them.
RETURN_SECONDS = 20
# What is promised of a machine that has nothing else to do is a second.
EDIT_SECONDS = 3


class Memory(threading.Thread):
    """Looks every second."""

    def __init__(self, process):
        super().__init__()
        self.process, self.ending, self.seen = process, threading.Event(), []

    def run(self):
        while not self.ending.wait(1):
            with open(f"/proc/{self.process.pid}/status") as file:
                kilobytes = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
            self.seen.append(kilobytes / 1024)

    def end(self):
        self.ending.set()
        self.join()
        return self.seen


def route_with(stand, host):
    route = next(one for one in stand.sample() if one["metadata"]["name"] == "tutor-production-route")
    route["spec"]["hostnames"].append(host)
    return route


def serving(stand, gateway, host):
    """How long an edit takes from its acceptance on."""
    stand.apply(route_with(stand, host))
    begin = time.monotonic()
    gateway.wait_for(200, host=host)
    return time.monotonic() - begin


def events_logged(stand):
    """Without the lines of the access log."""
    return [line for line in stand.log("gateway").splitlines() if '"level"' in line]


def goes_and_comes_back(stand, gateway):
    stream = Stream(gateway)
    load = Load(gateway, threads=2, pause=0.1)
    memory = Memory(stand.running["gateway"])
    memory.start()
    lines = len(events_logged(stand))
    stand.cluster.kill_server()
    stand.cluster.kill("etcd")
    eventually("a gateway that says so", lambda: "\nrotary_kubernetes_up 0\n" in gateway.get("/metrics")[1])
    time.sleep(SECONDS)  # it is the absence that is tried
    check(gateway.get("/readyz")[0] == 200, "ready all the time")
    told = events_logged(stand)[lines:]

    stand.cluster.start_etcd()
    stand.cluster.start_server()
    stand.cluster.compact()
    begin = time.monotonic()
    first = serving(stand, gateway, "first.example.com")
    say(f"an edit made as soon as the API server was ready was in force {first:.1f} s after it")
    eventually("watches of all kinds", lambda: "\nrotary_kubernetes_up 1\n" in gateway.get("/metrics")[1])
    took = time.monotonic() - begin
    say(f"all kinds were watched {took:.1f} s after the API server was ready")
    check(took < RETURN_SECONDS, f"all kinds: {took:.1f} s")
    second = serving(stand, gateway, "second.example.com")
    say(f"an edit from then on was in force after {second:.2f} s")
    check(second < EDIT_SECONDS, f"an edit: {second:.2f} s")

    stream.end(PATIENCE + SECONDS)
    counts, megabytes = load.end(), memory.end()
    check(set(counts) == {200}, f"requests while the API server was away: {counts}")
    say(f"{counts[200]} requests and a stream of {stand.chunks / 10:.0f} s: none failed")
    say(f"lines in the log while it was away: {len(told)}; memory {megabytes[0]:.1f} MB at first, "
        f"{max(megabytes):.1f} MB at most, {megabytes[-1]:.1f} MB at the end")
    check(len(told) < LINES, told)
    refusals = [line for line in told if "is not told" in line]
    check(len(refusals) <= 1, refusals)
    check(max(megabytes) < megabytes[0] + GROWTH_MB, f"memory: {megabytes}")


def main():
    folder = os.path.join(os.path.realpath(sys.argv[1]), "kubernetes", "absence")
    shutil.rmtree(folder, ignore_errors=True)
    stand = Stand(folder, chunks=10 * (SECONDS + 15))
    try:
        stand.start()
        gateway = Gateway(stand)
        eventually("a gateway that lives", gateway.is_up)
        stand.apply(secret("tutor-secret", apiKey="sk-1"), stand.issuer(), *stand.sample())
        gateway.wait_for(200)
        goes_and_comes_back(stand, gateway)
        gateway.stop()
    finally:
        stand.stop()
    shutil.rmtree(folder)


main()
