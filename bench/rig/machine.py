"""What the kernel knows: CPU time, memory and sockets of processes, and of the machine."""
import contextlib
import glob
import os
import platform
import re
import subprocess
import time

from rig import figures


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def tree(pid):
    """A process and all that descend from it."""
    pids = [pid]
    for path in glob.glob("/proc/%d/task/*/children" % pid):
        with contextlib.suppress(OSError):
            for child in read(path).split():
                pids += tree(int(child))
    return pids


def cpu_ns(pid):
    """CPU time of all threads of a process and its descendants."""
    total = 0
    for process in tree(pid):
        for path in glob.glob("/proc/%d/task/*/schedstat" % process):
            with contextlib.suppress(OSError):
                total += figures.schedstat_ns(read(path))
    return total


def pss(pid):
    return sum(figures.pss_bytes(read("/proc/%d/smaps_rollup" % process)) for process in tree(pid))


def holds_port(pid, port):
    """Whether a socket that listens on the port belongs to the process or its descendants, and
    none to another."""
    inodes = figures.listening_inodes(read("/proc/net/tcp"), port)
    inodes |= figures.listening_inodes(read("/proc/net/tcp6"), port)
    mine = set()
    for process in tree(pid):
        for path in glob.glob("/proc/%d/fd/*" % process):
            with contextlib.suppress(OSError):
                match = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(path))
                if match:
                    mine.add(int(match[1]))
    return bool(inodes) and inodes <= mine


class Span:
    """What a process and the machine do between two moments."""

    def __init__(self, pid, own):
        self.pid, self.own = pid, own
        self.begun = self._now()

    def _now(self):
        ours = cpu_ns(self.pid) + sum(cpu_ns(pid) for pid in self.own)
        return time.monotonic(), cpu_ns(self.pid), ours, figures.busy_ticks(read("/proc/stat"))

    def end(self):
        """CPU seconds of the process, and the share of the machine that others had."""
        wall, cpu, ours, busy = (b - a for a, b in zip(self.begun, self._now()))
        others = busy / os.sysconf("SC_CLK_TCK") - ours / 1e9
        return cpu / 1e9, max(0.0, others / wall / os.cpu_count())


def cores(workers):
    """CPUs for the proxy and for the load: apart, where there are enough."""
    proxy = list(range(workers))
    load = list(range(workers, os.cpu_count())) or [os.cpu_count() - 1]
    return proxy, load


def describe():
    model = re.search(r"model name\s*:\s*(.*)", read("/proc/cpuinfo"))
    memory = int(re.search(r"MemTotal:\s*(\d+)", read("/proc/meminfo"))[1])
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)', read("/etc/os-release"), re.M))
    virtual = "hypervisor" in read("/proc/cpuinfo")
    return {
        "cpu": model[1] if model else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 1024 / 1024, 1),
        "kernel": re.match(r"[\d.]*", platform.release())[0],
        "system": release.get("PRETTY_NAME", "Linux"),
        "virtual": virtual,
        "congestion_control": read("/proc/sys/net/ipv4/tcp_congestion_control").strip(),
    }


def revision(root):
    done = subprocess.run(["git", "-C", root, "describe", "--always", "--dirty"],
                          capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
