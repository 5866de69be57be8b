#!/usr/bin/env python3
"""A real Prometheus and a collector of traces beside a gateway under some load.

Every expression of the dashboard says something, the alert rules load and know all their metrics,
the page is clean for promtool, the spans are whole, the trace's id is in the log, and no secret is
in any of it. usage: monitoring.py ROTARY; Debian's prometheus and redis-server have to be there.
"""
import base64
import http.client
import http.server
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import otlp

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
from checks import PATIENCE, eventually, fail, free_ports

ROTARY = os.path.realpath(sys.argv[1])
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"

def get(port, path, method="GET", headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes OTLP's JSON, which must be as the official definitions have it, and keeps it."""

    batches = []
    messages = []  # the spans, as protobuf has them
    invalid = []
    authorizations = []
    refusals = []  # what is answered to the next batches: status, headers, body

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        ok = self.path == "/v1/traces" and self.headers["content-type"] == "application/json"
        Collector.authorizations.append((self.headers["authorization"], self.headers["x-tenant"]))
        try:
            spans = otlp.spans_of(body)
        except ValueError as error:
            Collector.invalid.append(str(error))
            spans, ok = [], False
        status, headers, answer = (200, {}, b"{}") if ok else (400, {}, b'{"error":"no"}')
        if ok and Collector.refusals:
            status, headers, answer = Collector.refusals.pop(0)
        else:
            Collector.batches.append(json.loads(body))
            Collector.messages.extend(spans)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass

    @classmethod
    def spans(cls):
        return [
            (batch["resourceSpans"][0]["resource"], span)
            for batch in list(cls.batches)
            for scope in batch["resourceSpans"][0]["scopeSpans"]
            for span in scope["spans"]
        ]


def attributes(span):
    found = {}
    for attribute in span["attributes"]:
        ((kind, value),) = attribute["value"].items()
        found[attribute["key"]] = int(value) if kind == "intValue" else value
        # The proto's mapping to JSON: 64-bit numbers are strings, the others are not.
        wanted = {"stringValue": str, "intValue": str, "boolValue": bool, "doubleValue": (int, float)}
        if not isinstance(value, wanted[kind]):
            fail(f"an attribute of the wrong kind: {attribute}")
    return found


class Bench:
    def __init__(self, folder):
        self.folder = folder
        self.running = {}
        self.logs = {}

    def start(self, name, *command, env=None):
        self.logs[name] = os.path.join(self.folder, name + ".log")
        with open(self.logs[name], "ab") as out:
            self.running[name] = subprocess.Popen(
                command, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                env={**os.environ, **(env or {})}, cwd=self.folder)

    def stop(self, name):
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        return process.wait(PATIENCE)

    def stop_all(self):
        for process in self.running.values():
            process.kill()
            process.wait()


def write_gateway(folder, collector, redis, key):
    """The client tests' gateway, which has prices, limits and a budget, with tracing on."""
    with open(os.path.join(folder, "otlp.headers"), "w", encoding="utf-8") as out:
        out.write(f"# The collector's.\nauthorization: Bearer {key}\n")
    shutil.copytree(os.path.join(ROOT, "tests/clients/gateway"), os.path.join(folder, "gateway"))
    path = os.path.join(folder, "gateway/rotary.yaml")
    with open(path, "a", encoding="utf-8") as out:
        out.write(
            f"state: {{redis: {{url: 'redis://127.0.0.1:{redis}'}}}}\n"
            "timeouts: {log_flush: 50ms, trace_interval: 50ms, watch_settle: 50ms}\n"
            f"tracing:\n  endpoint: https://127.0.0.1:{collector}\n"
            "  headers: {x-tenant: \"${COLLECTOR_KEY}\"}\n"
            "  headers_file: ../otlp.headers\n  ca: \"${CERTS}/dev-ca.crt\"\n"
            "  attributes: {deployment.environment: test}\n")
    with open(path, encoding="utf-8") as text:
        changed = text.read().replace("access: json}", "access: json, tries: true}")
    with open(path, "w", encoding="utf-8") as out:
        out.write(changed)
    return path


class Client:
    def __init__(self, port, token, ca):
        self.port, self.token = port, token
        self.tls = ssl.create_default_context(cafile=ca)

    def ask(self, api="chat", stream=False, headers=None, token=None):
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, context=self.tls, timeout=PATIENCE)
        body = {"model": "any", "messages": [{"role": "user", "content": "Hello"}]}
        if stream:
            body.update(stream=True, stream_options={"include_usage": True})
        connection.request(
            "POST", f"/{api}/1.0/chat/completions", json.dumps(body),
            {"authorization": f"Bearer {token or self.token}",
             "content-type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer


def check_spans(client, bench, first, second):
    """One trace that a client began: its request, its tries, and what the providers were told."""
    get(first, "/__mock/reset", "POST")
    get(second, "/__mock/reset", "POST")
    parent = f"00-{TRACE}-{PARENT}-01"
    answer = client.ask(headers={"traceparent": parent, "tracestate": "a=b"})
    if answer.status != 200:
        fail(f"the traced request got {answer.status}")
    ours = lambda: [span for _, span in Collector.spans() if span["traceId"] == TRACE]
    spans = eventually("the spans of a trace", lambda: len(ours()) >= 2 and ours())
    request = next(span for span in spans if span.get("parentSpanId") == PARENT)
    tries = [span for span in spans if span.get("parentSpanId") == request["spanId"]]
    if len(tries) != len(spans) - 1 or request["kind"] != 2 or {t["kind"] for t in tries} != {3}:
        fail(f"spans that do not belong together: {spans}")
    for span in spans:
        if not int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"]):
            fail(f"a span that ends before it starts: {span}")
        if not isinstance(span["startTimeUnixNano"], str) or not re.fullmatch("[0-9a-f]{16}", span["spanId"]):
            fail(f"not as the proto's mapping has it: {span}")
    known = attributes(tries[-1])
    if known["gen_ai.operation.name"] != "chat" or known["gen_ai.usage.output_tokens"] != 8:
        fail(f"attributes of a try: {known}")
    if tries[-1]["name"] != "chat " + known["gen_ai.request.model"]:
        fail(f"the name of a try: {tries[-1]['name']}")
    if known["http.response.status_code"] != 200 or "status" in tries[-1]:
        fail(f"a try that went well: {tries[-1]}")
    if attributes(request)["gen_ai.original.model"] != "any":
        fail(f"attributes of a request: {attributes(request)}")
    seen = get(first, "/__mock/requests")[1] + get(second, "/__mock/requests")[1]
    if f"00-{TRACE}-{tries[-1]['spanId']}-01" not in seen or PARENT in seen or "a=b" not in seen:
        fail(f"what the provider was told of the trace: {seen}")
    eventually("the trace's id in the access log",
               lambda: f'"trace_id":"{TRACE}"' in open(bench.logs["gateway"], encoding="utf-8").read())
    resource = {a["key"]: a["value"]["stringValue"] for a in Collector.spans()[0][0]["attributes"]}
    if resource != {"service.name": "rotary", "deployment.environment": "test"}:
        fail(f"the resource: {resource}")


def check_suspension(client, mark):
    """A refusal that suspends: an error in its span, and a second try."""
    trace = f"{mark:032x}"
    answer = None
    for _ in range(40):
        answer = client.ask(headers={"traceparent": f"00-{trace}-{PARENT}-01"})
        if answer.headers["x-rotary-attempts"] == "2":
            break
    if answer.status != 200 or answer.headers["x-rotary-attempts"] != "2":
        fail("no entry was suspended")
    refused = lambda: [span for _, span in Collector.spans()
                       if span["traceId"] == trace and span["kind"] == 3
                       and attributes(span).get("http.response.status_code") == 429]
    span = eventually("the span of a refused try", refused)[0]
    if span["status"]["code"] != 2 or attributes(span)["error.type"] != "429":
        fail(f"a refused try is an error: {span}")
    if attributes(span)["rotary.effect"] != "suspend_entry" or not attributes(span)["rotary.failed_over"]:
        fail(f"what a refusal did: {span}")


def check_against_log(client, bench, failed_over):
    """The spans of a request that moved on, and of a stream, say what its line in the log says."""
    streamed = f"{0x9abc:032x}"
    if client.ask(stream=True, headers={"traceparent": f"00-{streamed}-{PARENT}-01"}).status != 200:
        fail("no stream")
    for trace in (f"{failed_over:032x}", streamed):
        def line():
            with open(bench.logs["gateway"], encoding="utf-8") as log:
                found = [one for one in log if f'"trace_id":"{trace}"' in one and '"response_code"' in one]
            return found and json.loads(found[-1])
        said = eventually("a line of the log", line)
        ours = lambda: [span for span in list(Collector.messages) if span.trace_id.hex() == trace]
        # Of a trace that several requests had in turn the last one is compared.
        spans = eventually("the spans", lambda: [span for span in ours()
                                                 if belongs(span, said["request_id"], ours())])
        try:
            otlp.compare_with_log(spans, said, PARENT)
        except ValueError as error:
            fail(f"{error}\n{said}\n{spans}")


def belongs(span, request_id, spans):
    """Whether it is the span of that request, or of one of its tries."""
    request = next((one for one in spans
                    if otlp.attributes(one).get("rotary.request_id") == request_id), None)
    return request is not None and request.span_id in (span.span_id, span.parent_span_id)


def check_refusals(client, admin):
    """What a collector does not take is counted, and the next batch goes all the same."""
    def outcomes():
        page = get(admin, "/metrics")[1]
        return {name: int(float(re.search(rf'rotary_trace_spans_total{{outcome="{name}"}} (\S+)', page)[1]))
                for name in ("sent", "rejected", "failed", "dropped")}

    def changes(answer, **expected):
        before = outcomes()
        Collector.refusals[:] = [answer] if answer else []
        if client.ask().status != 200:
            fail("a collector in trouble is no matter of a client's")
        spans = sum(expected.values())
        changed = lambda: {name: count - before[name] for name, count in outcomes().items()}
        eventually("what became of some spans", lambda: sum(changed().values()) >= spans)
        if {name: count for name, count in changed().items() if count} != expected:
            fail(f"{answer} came to {changed()}, not to {expected}")

    changes((503, {}, b""), failed=2)
    changes((429, {"retry-after": "3600"}, b"later"), failed=2)
    changes((200, {}, b'{"partialSuccess":{"rejectedSpans":"1","errorMessage":"no"}}'), rejected=1, sent=1)
    changes(None, sent=2)


def load(client, stop):
    """All that the dashboard wants to see, again and again: rates need two scrapes."""
    while not stop.is_set():
        client.ask()
        client.ask(stream=True)
        for api in ("minute", "day", "spent"):
            client.ask(api=api)
        client.ask(token="none")
        with socket.create_connection(("127.0.0.1", client.port)) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            plain.recv(1024)
        stop.wait(0.05)


def dashboard_expressions():
    with open(os.path.join(ROOT, "deploy/grafana/rotary.json"), encoding="utf-8") as text:
        dashboard = json.load(text)
    if dashboard["__inputs"][0]["name"] != "DS_PROMETHEUS":
        fail("the dashboard does not ask for its data source")
    found = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    found += [one["expr"] for one in dashboard["annotations"]["list"]]
    fill = {"$__rate_interval": "5s", "$job": ".+", "$instance": ".+"}
    for name, value in fill.items():
        found = [expression.replace(name, value) for expression in found]
    if len(found) < 40 or any("$" in expression for expression in found):
        fail("the dashboard's expressions could not be read")
    return found


def query(port, expression):
    status, text = get(port, "/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
    if status != 200:
        fail(f"Prometheus says {status} to {expression}: {text}")
    return json.loads(text)["data"]["result"]


def check_page(admin):
    text = get(admin, "/metrics")[1]
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                             capture_output=True, check=False)
    if checked.returncode != 0 or checked.stdout or checked.stderr:
        fail(f"promtool check metrics: {checked.stdout}{checked.stderr}")
    page = get(admin, "/metrics", headers={"accept": "application/openmetrics-text"})[1]
    if not page.endswith("# EOF\n") or not re.search(r'le="[^"]+"\} \d+ # \{trace_id="[0-9a-f]{32}"\} ', page):
        fail("the OpenMetrics page has no exemplar")


def check_prometheus(bench, admin, client):
    (port,) = free_ports(1)
    shutil.copy(os.path.join(ROOT, "deploy/prometheus/alerts.yaml"), bench.folder)
    with open(os.path.join(bench.folder, "prometheus.yml"), "w", encoding="utf-8") as out:
        out.write(
            "global: {scrape_interval: 250ms, scrape_timeout: 250ms, evaluation_interval: 250ms}\n"
            "rule_files: [alerts.yaml]\nscrape_configs:\n  - job_name: rotary\n"
            f"    static_configs: [{{targets: ['127.0.0.1:{admin}']}}]\n")
    bench.start("prometheus", shutil.which("prometheus"), "--config.file=prometheus.yml",
                f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.path=tsdb",
                "--enable-feature=exemplar-storage")
    eventually("a Prometheus", lambda: get(port, "/-/ready")[0] == 200)
    stop = threading.Event()
    worker = threading.Thread(target=load, args=(client, stop))
    worker.start()
    try:
        eventually("a scrape", lambda: query(port, 'up{job="rotary"} == 1'))
        *panels, reloads = dashboard_expressions()
        for expression in panels:
            eventually(expression, lambda e=expression: query(port, e))
        with open(os.path.join(ROOT, "deploy/prometheus/alerts.yaml"), encoding="utf-8") as text:
            rules = text.read()
        for name in sorted(set(re.findall(r"\b(?:rotary|process)_[a-z_]+[a-z]\b", rules))):
            if not query(port, f'count({{__name__="{name}"}})'):
                fail(f"no such metric, for the alerts: {name}")
        bad = os.path.join(bench.folder, "gateway/apis/bad.yaml")
        for text in ("kind: Nothing\n", ""):  # a reload that is refused, and one that is not
            with open(bad, "w", encoding="utf-8") as out:
                out.write(text)
            get(admin, "/api/v1/reload", "POST")
        eventually(reloads, lambda: query(port, reloads))
        os.remove(bad)
        healthy = lambda: [rule for group in json.loads(get(port, "/api/v1/rules")[1])["data"]["groups"]
                           for rule in group["rules"] if rule["health"] == "ok"]
        eventually("the rules", lambda: len(healthy()) == rules.count("- alert:"))
        exemplars = json.loads(get(
            port, "/api/v1/query_exemplars?query=rotary_request_duration_seconds_bucket"
                  f"&start={time.time() - 600}&end={time.time() + 60}")[1])
        if not exemplars["data"]:
            fail("Prometheus has no exemplar")
    finally:
        stop.set()
        worker.join()


def check_rules():
    checked = subprocess.run(
        ["promtool", "test", "rules", "alerts_test.yaml"], text=True, capture_output=True,
        check=False, cwd=os.path.join(ROOT, "deploy/prometheus"))
    if checked.returncode != 0:
        fail(f"promtool test rules: {checked.stdout}{checked.stderr}")


def check_drain(bench, client, config, env, admin):
    """The last spans go before the process does, though no batch was due for an hour."""
    with open(config, encoding="utf-8") as text:
        slow = text.read().replace("log_flush: 50ms, trace_interval: 50ms", "log_flush: 1m, trace_interval: 1h")
    with open(config, "w", encoding="utf-8") as out:
        out.write(slow)
    bench.start("gateway", ROTARY, "serve", "-c", config, env=env)
    eventually("a second gateway", lambda: get(admin, "/readyz")[0] == 200)
    trace = f"{0x5678:032x}"
    client.ask(headers={"traceparent": f"00-{trace}-{PARENT}-01"})
    if bench.stop("gateway") != 0:
        fail("the second gateway did not end well")
    if sum(span["traceId"] == trace for _, span in Collector.spans()) != 2:
        fail("the last spans are lost")


def shown_to_operators(bench, config, env, admin):
    """What the page, the API, the metrics and the commands say, by where it was said."""
    texts = {}
    for path in ("/", "/page.js", "/readyz?verbose", "/metrics", "/api/v1/status", "/api/v1/models",
                 "/api/v1/limits", "/api/v1/consumers", "/api/v1/requests?limit=1000",
                 "/api/v1/events?format=json", "/api/v1/config", "/api/v1/config?format=yaml"):
        status, texts[path] = get(admin, path)
        if status != 200:
            fail(f"{path} answered {status}")
    texts["open metrics"] = get(admin, "/metrics", headers={"accept": "application/openmetrics-text"})[1]
    texts["validate"] = get(admin, "/api/v1/validate", "POST")[1]
    chat = f"https://127.0.0.1:{env['GATEWAY_PORT']}/chat/1.0/chat/completions"
    for words in (["check"], ["check", "--output", "json"], ["config", "dump"],
                  ["config", "dump", "--resources"], ["routes"], ["routes", "--output", "json"],
                  ["explain", "-X", "POST", "-H", f"authorization: Bearer {env['TOKEN']}", "-d", "{}",
                   chat]):
        done = subprocess.run([ROTARY, *words, "-c", config], env={**os.environ, **env},
                              capture_output=True, text=True, cwd=bench.folder, check=False)
        texts["rotary " + " ".join(words[:2])] = done.stdout + done.stderr
        if done.returncode not in (0, 1) or not done.stdout + done.stderr:
            fail(f"rotary {words} ended with {done.returncode}: {done.stderr}")
    return texts


def check_secrets(bench, shown, secrets):
    texts = {**shown, **{name: open(path, encoding="utf-8", errors="replace").read()
             for name, path in bench.logs.items()}}
    texts["spans"] = json.dumps(Collector.batches)
    for name, text in texts.items():
        for secret in secrets:
            if secret in text:
                fail(f"a secret is in {name}")
    if '"msg":"try"' not in texts["gateway"].replace(" ", ""):
        fail("no line a try in the event log")


def run(folder):
    bench = Bench(folder)
    certs = os.path.join(folder, "certs")
    subprocess.run([os.path.join(ROOT, "certs/make-certs.sh"), "--quiet", "--dir", certs], check=True)
    collector = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(os.path.join(certs, "dev-server.crt"), os.path.join(certs, "dev-server.key"))
    collector.socket = tls.wrap_socket(collector.socket, server_side=True)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    first, second, gateway, admin, redis = free_ports(5)
    keys = [base64.b32encode(os.urandom(15)).decode().lower() for _ in range(4)]
    config = write_gateway(folder, collector.server_port, redis, keys[3])
    issuer = "https://issuer.test/dev"
    env = {"CERTS": certs, "ISSUER": issuer, "FIRST_KEY": keys[0], "SECOND_KEY": keys[1],
           "COLLECTOR_KEY": keys[2], "FIRST_PORT": str(first), "SECOND_PORT": str(second),
           "GATEWAY_PORT": str(gateway), "ADMIN_PORT": str(admin)}
    try:
        bench.start("redis", shutil.which("redis-server"), "--bind", "127.0.0.1", "--port",
                    str(redis), "--save", "")
        bench.start("first", ROTARY, "mock", "--listen", f"127.0.0.1:{first}", "--tokens", "8",
                    "--require-key", f"Bearer {keys[0]}", "--quota", "gpt-4o-mini=6/3600s")
        bench.start("second", ROTARY, "mock", "--listen", f"127.0.0.1:{second}", "--tokens", "8",
                    "--require-key", f"Bearer {keys[1]}")
        bench.start("gateway", ROTARY, "serve", "-c", config, env=env)
        for port, path in ((first, "/__mock/requests"), (second, "/__mock/requests"), (admin, "/readyz")):
            eventually(f"{path} of {port}", lambda p=port, t=path: get(p, t)[0] == 200)
        with open(os.path.join(certs, "dev-issuer.jwks.json"), encoding="utf-8") as text:
            kid = json.load(text)["keys"][0]["kid"]
        token = subprocess.run(
            [ROTARY, "token", "--key", os.path.join(certs, "dev-issuer.key"), "--issuer", issuer,
             "--kid", kid, "--subject", "monitor", "--ttl", "10m"],
            check=True, capture_output=True, text=True).stdout.strip()
        client = Client(gateway, token, os.path.join(certs, "dev-ca.crt"))
        check_spans(client, bench, first, second)
        check_suspension(client, 0x1234)
        check_against_log(client, bench, 0x1234)
        check_refusals(client, admin)
        check_prometheus(bench, admin, client)
        check_page(admin)
        check_rules()
        if set(Collector.authorizations) != {(f"Bearer {keys[3]}", keys[2])}:
            fail("the collector did not get its headers")
        wrong = "not-a-token-" + keys[0][:6]
        if client.ask(token=wrong).status != 401 or client.ask(api=f"chat/1.0?api-key={wrong}&x=").status == 200:
            fail("a wrong token was taken")
        shown = shown_to_operators(bench, config, {**env, "TOKEN": token}, admin)
        if bench.stop("gateway") != 0:
            fail("the gateway did not end well")
        check_drain(bench, client, config, env, admin)
        if Collector.invalid:
            fail(f"not as OTLP's definitions have it: {Collector.invalid[0]}")
        check_secrets(bench, shown, [*keys, token, wrong])
    except BaseException:
        for name, path in bench.logs.items():
            with open(path, encoding="utf-8", errors="replace") as log:
                print(f"--- {name}", log.read()[-3000:], sep="\n", file=sys.stderr)
        raise
    finally:
        bench.stop_all()
        collector.shutdown()


for tool in ("prometheus", "promtool"):
    if shutil.which(tool) is None:
        fail(f"{tool} is not installed; './dev test' does it")
with tempfile.TemporaryDirectory() as temporary:
    run(temporary)
print("monitoring: every expression has its answer")
