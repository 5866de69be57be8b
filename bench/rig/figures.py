"""Pure arithmetic of the rig: what is read from /proc, and what is made of many rounds."""
import statistics


def schedstat_ns(text):
    """Nanoseconds on a CPU, from the text of a task's schedstat."""
    return int(text.split()[0])


def pss_bytes(text):
    """Proportional set size, from the text of a process's smaps_rollup."""
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no Pss in smaps_rollup")


def busy_ticks(text):
    """Ticks that all CPUs were busy (not idle, not waiting for a disk), from /proc/stat."""
    fields = [int(field) for field in text.splitlines()[0].split()[1:]]
    idle, iowait, guest, guest_nice = fields[3], fields[4], fields[8], fields[9]
    return sum(fields) - idle - iowait - guest - guest_nice


def listening_inodes(text, port):
    """Inodes of the sockets that listen on a port, from /proc/net/tcp or tcp6."""
    found = set()
    for line in text.splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
            found.add(int(fields[9]))
    return found


def counted_by_perf(text):
    """The count in a line of `perf stat -x,`."""
    for line in text.splitlines():
        value = line.split(",")[0]
        if value.isdigit():
            return int(value)
    raise ValueError("perf counted nothing: " + text.strip())


def median(values):
    return statistics.median(values)


def spread(values):
    """Half the distance between the quartiles, as a share of the median."""
    if len(values) < 2 or median(values) == 0:
        return 0.0
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / 2 / median(values)


def ratio(values, base):
    """The median of a contestant's rounds, each beside the base's round of the same number: what
    slows a whole round cancels out."""
    pairs = [value / other for value, other in zip(values, base) if other > 0]
    return median(pairs) if pairs else None


def order_of_round(contestants, number):
    """A B C, then C B A: a machine that grows slower harms all the same."""
    return list(contestants) if number % 2 == 0 else list(reversed(contestants))
