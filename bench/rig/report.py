"""The results of a run: JSON for programs, a table as Markdown, pictures as SVG."""
import glob
import json
import os
import re

from rig import figures, plot

RATES = (("rate-1000", "1,000/s"), ("rate-4000", "4,000/s"), ("rate-12000", "12,000/s"),
         ("chat", "saturated"))
FOR_README = ("nginx", "haproxy", "rotary")


def value(contestant, name):
    """The median of a contestant's rounds, or None."""
    values = contestant["figures"].get(name)
    return figures.median(values) if values else None


def base_of(record, contestant):
    """The contestant that another is set beside: itself at the first size where sizes vary; else
    the other build, or nginx, or the first."""
    standing = [c for c in record["contestants"] if not c["trouble"]]
    own = [c for c in record["contestants"] if c["key"] == contestant["key"]]
    if len(own) > 1:
        return own[0] if not own[0]["trouble"] else None
    other = [c for c in standing if c["key"] == "beside"]
    nginx = [c for c in standing if c["key"] == "nginx"]
    return (other or nginx or standing or [None])[0]


def beside(record, contestant, name, key=None):
    """The ratio of a figure to the base's, or to that of the peer `key`."""
    base = base_of(record, contestant)
    if key:
        base = next((c for c in record["contestants"] if c["key"] == key), None)
    if not base or not contestant["figures"].get(name) or not base["figures"].get(name):
        return None
    return figures.ratio(contestant["figures"][name], base["figures"][name])


def cell(number, form="%.2f", scale=1):
    return "–" if number is None else form % (number * scale)


def whole(number):
    return "–" if number is None else format(round(number), ",")


def rows_of(record):
    """The head of a workload's table, and its rows."""
    if any("pss_bytes" in c["figures"] for c in record["contestants"]):
        head = ["", "KB a connection (PSS)", "beside", "CPU ms a second"]
        rows = [[c["label"], cell(value(c, "pss_bytes"), "%.1f", 1 / 1024),
                 cell(beside(record, c, "pss_bytes")), cell(value(c, "idle_ms_per_s"), "%.2f")]
                for c in record["contestants"] if not c["trouble"]]
        return head, rows
    unit = record["unit"]
    each = {"request": "a request", "event": "an event"}[unit]
    head = ["", "CPU µs " + each, "±", "beside", unit + "s a second", "p50 ms", "p99 ms",
            "system calls " + each, "core busy", "start s"]
    rows = [[c["label"], cell(value(c, "cpu_us")),
             cell(figures.spread(c["figures"].get("cpu_us", [])), "%.0f %%", 100),
             cell(beside(record, c, "cpu_us")), whole(value(c, "rate")),
             cell(value(c, "p50_us"), "%.2f", 1e-3), cell(value(c, "p99_us"), "%.2f", 1e-3),
             cell(value(c, "system_calls")), cell(value(c, "core"), "%.0f %%", 100),
             cell(value(c, "start_s"), "%.1f")]
            for c in record["contestants"] if not c["trouble"]]
    return head, rows


def markdown(head, rows, words=1):
    """A table whose first columns are words and the others numbers."""
    numbers = len(head) - words
    lines = ["| " + " | ".join(head) + " |", "|---" * words + "|---:" * numbers + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def section(record):
    head, rows = rows_of(record)
    rate = ", %s a second" % whole(record["rate"]) if record["rate"] else ""
    parts = ["### %s" % record["title"], "`%s`%s; %d round%s of %g s; others had %.0f %% of "
             "the machine" % (record["name"], rate, record["rounds"],
                              "s" * (record["rounds"] > 1), record["round_seconds"],
                              record["others"] * 100), markdown(head, rows)]
    for contestant in record["contestants"]:
        said = contestant["trouble"] or contestant["remark"]
        if said:
            parts.append("%s: %s." % (contestant["label"], said))
    if record.get("doubt"):
        parts.append("**%s.**" % record["doubt"])
    return "\n\n".join(parts)


def summary(records):
    """A row a workload: Rotary, and what it is beside nginx and HAProxy."""
    rows = []
    for record in records:
        for c in record["contestants"]:
            if not c["key"].startswith(("rotary", "beside")) or c["trouble"]:
                continue
            name = "pss_bytes" if "pss_bytes" in c["figures"] else "cpu_us"
            figure = (cell(value(c, name), "%.1f KB", 1 / 1024) if name == "pss_bytes" else
                      cell(value(c, name), "%.2f µs"))
            own = cell(beside(record, c, name)) if len(
                [o for o in record["contestants"] if o["key"] == c["key"]]) > 1 else ""
            rows.append([record["title"], c["label"], figure,
                         cell(beside(record, c, name, "nginx")) if not own else "",
                         cell(beside(record, c, name, "haproxy")) if not own else "", own])
    return markdown(["", "", "CPU a request or event, memory a connection", "× nginx",
                     "× HAProxy", "× the first size"], rows, words=2)


def pictures(records):
    """{file: SVG} of what there is to draw."""
    by_name = {record["name"]: record for record in records}
    found = {}
    if "chat" in by_name:
        standing = [c for c in by_name["chat"]["contestants"] if value(c, "cpu_us")]
        if standing:
            found["chat.svg"] = plot.bars(
                "CPU time of a chat of 1 KB, on a scale of logarithms",
                [(c["label"], [("Rotary" if c["key"].startswith(("rotary", "beside")) else "others",
                                value(c, "cpu_us"))]) for c in standing], "µs", log=True)
    rows = []
    for record in records:
        ratios = [(c["label"], beside(record, c, "cpu_us", "nginx"))
                  for c in record["contestants"] if c["key"] in ("haproxy", "rotary")]
        ratios = [pair for pair in ratios if pair[1] is not None]
        if ratios and len({c["key"] for c in record["contestants"]}) == len(record["contestants"]):
            rows.append((record["name"], ratios))
    if rows:
        found["beside-nginx.svg"] = plot.bars("CPU time beside nginx, which is 1", rows, mark=1)
    if all(name in by_name for name, _ in RATES):
        series = {}
        for c in by_name["chat"]["contestants"]:
            if c["key"] in FOR_README:
                same = [next((o for o in by_name[name]["contestants"] if o["key"] == c["key"]),
                             None) for name, _ in RATES]
                series[c["label"]] = [o and value(o, "cpu_us") for o in same]
        series = {name: values for name, values in series.items() if any(values)}
        if series:
            found["rates.svg"] = plot.lines("CPU time of a chat at fixed rates", series,
                                            [word for _, word in RATES], "µs")
    return found


class Results:
    """The folder that a run writes to, workload by workload."""

    def __init__(self, folder, fresh):
        self.folder = folder
        self.path = os.path.join(folder, "results.json")
        self.all = {"workloads": {}, "peers": {}}
        if fresh:
            for picture in glob.glob(os.path.join(folder, "*.svg")):
                os.remove(picture)
        elif os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as file:
                self.all = json.load(file)

    def begin(self, machine, revision, peers):
        self.all["machine"], self.revision = machine, revision
        for key, peer in peers.items():
            missing = peer.missing()
            self.all["peers"][key] = {
                "name": peer.name, "settings": peer.settings, "missing": missing,
                "version": "" if missing else peer.version()}

    def add(self, record):
        self.all["workloads"][record["name"]] = record | {"revision": self.revision}
        self.write()

    def write(self):
        os.makedirs(self.folder, exist_ok=True)
        words = json.dumps(self.all, indent=1, ensure_ascii=False)
        words = re.sub(r"\[[-\d.,\s]+\]", lambda rounds: " ".join(rounds[0].split()), words)
        files = {"results.json": words + "\n", "README.md": self.table() + "\n"}
        files |= pictures(self._records())
        for name, words in files.items():
            path = os.path.join(self.folder, name)
            with open(path + ".new", "w", encoding="utf-8") as file:
                file.write(words)
            os.replace(path + ".new", path)

    def _records(self):
        return list(self.all["workloads"].values())

    def table(self):
        m = self.all["machine"]
        records = self._records()
        revisions = sorted({record["revision"] for record in records})
        parts = [
            "# Rotary beside its peers",
            "%d cores of %s%s, %s GiB, Linux %s, %s, TCP %s. Rotary at %s." % (
                m["cores"], m["cpu"], " (a virtual machine)" if m["virtual"] else "",
                m["memory_gib"], m["kernel"], m["system"], m["congestion_control"],
                ", ".join(revisions)),
            "How it was measured, and how to read it: [bench/README.md](../../README.md).",
            summary(records)]
        parts += ["![%s](%s)" % (name, name) for name in pictures(records)]
        parts += [section(record) for record in records]
        peers = [[peer["name"], peer["version"] or "–", peer["missing"] or peer["settings"]]
                 for peer in self.all["peers"].values()]
        parts += ["### The peers", markdown(["", "version", "settings"], peers, words=3)]
        return "\n\n".join(parts)
