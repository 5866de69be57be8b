#!/usr/bin/env python3
"""The references of docs/reference, as Rotary itself has them.

usage: reference.py write|check ROTARY   the binary; check fails where the files are others

The log's is read from where its lines are written; the metrics' from the page of a gateway that has
everything switched on, until it has all names that the code has.
"""
import difflib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import reference_words as words

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
SECONDS = 60  # a net for a loaded machine

SECTIONS = (
    ("Requests", ("rotary_requests_", "rotary_request_", "rotary_overhead_", "rotary_failovers_",
                  "rotary_all_models_", "rotary_retry_budget_", "rotary_buffered_bodies_")),
    ("Models and providers", ("rotary_upstream_", "rotary_model_", "rotary_time_", "rotary_backend_")),
    ("Tokens and money", ("rotary_tokens_", "rotary_cost_", "rotary_usage_", "rotary_consumer_",
                          "rotary_ledger_")),
    ("Limits and budgets", ("rotary_limit_", "rotary_budget_")),
    ("Connections and TLS", ("rotary_client_", "rotary_connections_", "rotary_tls_")),
    ("Several replicas", ("rotary_fleet_", "rotary_redis_", "rotary_shared_", "rotary_lease",
                          "rotary_place")),
    ("Token issuers", ("rotary_jwks_",)),
    ("Configuration", ("rotary_config_", "rotary_build_", "rotary_kubernetes_")),
    ("Logs and traces", ("rotary_access_log_", "rotary_event_log_", "rotary_trace_")),
    ("The process", ("process_",)),
)
# There where the machine sets a bound.
BY_MACHINE = {"process_virtual_memory_max_bytes": ("gauge", "Most virtual memory it may have.", {})}
# Labels whose values are Rotary's own words; those of others are the configuration's names.
PRICES = '- {provider: "*", model: gpt-4o, input: "2.50", output: "10"}\n'
OWN_WORDS = ("decision", "direction", "outcome", "reason", "source", "state", "type")


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def sources():
    for folder, _, names in os.walk(os.path.join(ROOT, "src")):
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), ROOT)
            if name.endswith((".cpp", ".hpp")) and path.split("/")[1] not in ("mock", "demo", "tools"):
                yield text_of(path)


# --- the log ----------------------------------------------------------------------------------

KINDS = {"string": "text", "optional": "text", "number": "number", "milliseconds": "number",
         "boolean": "true or false"}


def access_fields():
    """(name, kind, always there) in the order of a line."""
    text = text_of("src/proxy/access_log.cpp")
    begin = text.index("void AccessLog::write_json")
    body = text[begin:text.index("\n}\n", begin)]
    usage = text[text.index("void write_usage"):]
    usage = usage[:usage.index("\n}\n")]
    field = re.compile(r'(if \([^;]*?\) )?(?:json\.)?(\w+)\(R"\([{,]"([^"]+)":\)"')
    found = []
    for line in body.splitlines():
        if "write_usage" in line:
            found += [(name, KINDS[how], False) for _, how, name in field.findall(usage)]
        for condition, how, name in field.findall(line):
            found.append((name, KINDS[how], how != "optional" and not condition))
    return found


def events():
    """(level, message, fields), of all that the code says to the event log."""
    call = re.compile(r'\blog_?(?:\(\))?(?:\.|->)(info|warn|error|debug|trace)\('
                      r'\s*((?:"(?:[^"\\]|\\.)*"\s*)+)')
    found = set()
    for text in sources():
        for match in call.finditer(text):
            message = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', match.group(2))).replace('\\"', '"')
            found.add((match.group(1), message, tuple(fields_behind(text, match.end()))))
    return sorted(found, key=lambda one: (one[1], one[0]))


def fields_behind(text, at):
    depth, end = 1, at
    while depth > 0:
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        end += 1
    return re.findall(r'\{"([a-z_.]+)",', text[at:end])


def log_reference():
    lines = [words.ACCESS_HEAD, "",
             "| field | value | | what it says |", "|---|---|---|---|"]
    for name, kind, always in access_fields():
        lines.append("| `%s` | %s | %s | %s |" % (
            name, kind, "always" if always else "", words.ACCESS[name]))
    lines += ["", words.TEXT_FORM, "",
              "| level | `msg` | fields |", "|---|---|---|"]
    for level, message, fields in events():
        lines.append("| %s | %s | %s |" % (level, message, ", ".join("`%s`" % f for f in fields)))
    return "\n".join(lines) + "\n"


# The API server of this one never answers, which its metrics say too.
CLUSTER = """workers: 1
listeners: [{address: 127.0.0.1, port: 0, plaintext: true}]
admin: {port: CLUSTER}
kubernetes: {kubeconfig: kubeconfig}
"""
KUBECONFIG = """current-context: none
clusters: [{name: none, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: none, context: {cluster: none}}]
"""


# --- metrics ----------------------------------------------------------------------------------

def ports(count):
    opened = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    numbers = [one.getsockname()[1] for one in opened]
    for one in opened:
        one.close()
    return numbers


def fetch(url, key=None, body=None):
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    if key:
        request.add_header("authorization", "Bearer " + key)
    try:
        return urllib.request.urlopen(request, timeout=SECONDS).read().decode()
    except OSError:
        return ""


def until(what, ask):
    end = time.monotonic() + SECONDS
    while not ask():
        if time.monotonic() > end:
            raise SystemExit("reference: it never came: " + what)
        time.sleep(0.02)


def scrape(rotary):
    """The metrics of a gateway that has everything, and of one whose resources are a cluster's."""
    chats, tls, admin, provider, cluster = ports(5)
    running = []
    with tempfile.TemporaryDirectory(prefix="reference-") as folder:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-days", "9", "-subj", "/CN=localhost", "-keyout", "tls.key", "-out",
                        "tls.crt"], cwd=folder, check=True, stderr=subprocess.DEVNULL)
        text = text_of("tests/docs/everything.yaml").split("---\n", 1)
        key = subprocess.run([rotary, "key", "new", "--consumer", "team"], capture_output=True,
                             text=True, check=True)
        for name, said in (("rotary.yaml", text[0]), ("resources.yaml", text[1]),
                           ("key.yaml", key.stderr), ("prices.yaml", PRICES),
                           ("cluster.yaml", CLUSTER), ("kubeconfig", KUBECONFIG)):
            for word, port in (("CHATS", chats), ("TLS", tls), ("ADMIN", admin), ("PROVIDER", provider),
                               ("CLUSTER", cluster)):
                said = said.replace(word, str(port))
            with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
                out.write(said)
        try:
            with open(os.path.join(folder, "log"), "w", encoding="utf-8") as log:
                for command in (["mock", "--listen", "127.0.0.1:%d" % provider, "--quota", "gpt-4o=2/60s"],
                                ["serve", "-c", "rotary.yaml"], ["serve", "-c", "cluster.yaml"]):
                    running.append(subprocess.Popen([rotary] + command, cwd=folder, stdout=log, stderr=log))
            base = "http://127.0.0.1:%d" % admin
            until("the gateway", lambda: fetch(base + "/readyz"))
            other = "http://127.0.0.1:%d" % cluster
            until("the other gateway", lambda: fetch(other + "/livez"))
            chat = "http://127.0.0.1:%d/v1/chat/completions" % chats
            for body in (b'{"model": "any", "messages": []}', b'{"stream": true, "messages": []}') * 2:
                fetch(chat, key.stdout.strip(), body)
            page = ""

            def has_all():
                nonlocal page
                page = fetch(base + "/metrics") + fetch(other + "/metrics")
                return not missing(families(page))
            until("all metrics", has_all)
            return page
        except SystemExit as failure:
            raise SystemExit("%s: %s" % (failure, ", ".join(missing(families(page)))))
        finally:
            for process in running:
                process.send_signal(signal.SIGKILL)
                process.wait()


def missing(found):
    """Names that the code has and the page has not."""
    named = {name for text in sources() for name in re.findall(r'"((?:rotary|process)_[a-z_]+)"', text)}
    return sorted(named - set(found) - set(BY_MACHINE))


def families(page):
    """{name: (type, help, {label: values})}"""
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", page, re.MULTILINE))
    helps = dict(re.findall(r"^# HELP (\S+) (.*)$", page, re.MULTILINE))
    found = {name: (kind, helps[name], {}) for name, kind in kinds.items()}
    for series, labels in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", page, re.MULTILINE):
        name = series if series in found else re.sub(r"_(bucket|sum|count)$", "", series)
        for label, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels):
            if label != "le":
                found[name][2].setdefault(label, set()).add(value)
    return found


def label_words(labels):
    said = []
    for label, values in labels.items():
        told = ": " + ", ".join(sorted(v for v in values if v)) if label in OWN_WORDS else ""
        said.append("`%s`%s" % (label, told))
    return "; ".join(said)


def metrics_reference(page):
    left = {**families(page), **BY_MACHINE}
    lines = [words.METRICS]
    for title, prefixes in SECTIONS:
        lines += ["", "## " + title, "", "| name | type | labels | what it says |", "|---|---|---|---|"]
        for name in sorted(one for one in left if one.startswith(prefixes)):
            kind, said, labels = left.pop(name)
            lines.append("| `%s` | %s | %s | %s |" % (name, kind, label_words(labels), said))
    if left:
        raise SystemExit("reference: no section has %s" % ", ".join(sorted(left)))
    return "\n".join(lines) + "\n"


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("write", "check"):
        sys.exit(__doc__)
    unknown = set(words.ACCESS) ^ {name for name, _, _ in access_fields()}
    if unknown:
        sys.exit("reference: fields and words differ in %s" % ", ".join(sorted(unknown)))
    metrics = metrics_reference(scrape(os.path.realpath(sys.argv[2])))
    for path, text in (("docs/reference/log.md", log_reference()), ("docs/reference/metrics.md", metrics)):
        if sys.argv[1] == "write":
            with open(os.path.join(ROOT, path), "w", encoding="utf-8") as out:
                out.write(text)
        elif text_of(path) != text:
            shown = difflib.unified_diff(text_of(path).splitlines(), text.splitlines(), path, "Rotary",
                                         lineterm="", n=0)
            sys.exit("\n".join(shown) + "\nwrite it anew: tests/docs/reference.py write ROTARY")


if __name__ == "__main__":
    main()
