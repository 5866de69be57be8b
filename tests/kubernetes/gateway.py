#!/usr/bin/env python3
"""The gateway with a real API server: what is applied is served within a second, what is wrong says so
and leaves the rest alone, an API server that goes away takes nothing with it.

usage: gateway.py BUILD_FOLDER
ROTARY_APK_CRDS: a folder with WSO2 APK's own definitions, by which the sample is served too.
"""
import http.client
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time

import yaml

from cluster import PATIENCE, ROOT, Cluster, check, eventually, free_ports, say, secret, target

ROTARY = os.environ["ROTARY_BIN"]
ISSUER = "https://issuer.test/dev"
HOST = "tutor.example.com"
PATH = "/tutor/1.0/chat/completions"


class Stand:
    """A cluster, a provider, and gateways that are configured by the cluster."""

    def __init__(self, folder, definitions=None, chunks=40):
        """With our definitions, or with those of another folder beside Rotary's own. A stream of the
        provider has so many chunks, 100 ms apart."""
        self.folder, self.definitions, self.chunks = folder, definitions, chunks
        self.cluster = Cluster(os.path.join(folder, "cluster"))
        # RBAC gives these what a test binds to them, and no more.
        self.cluster.tokens["gateway"] = ("gateway-token", "")
        self.cluster.tokens["narrow"] = ("narrow-token", "")
        self.running = {}
        self.certs = os.path.join(folder, "certs")
        self.provider, = free_ports(1)

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, name, *command):
        with open(self.path(name + ".log"), "ab") as out:
            self.running[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
                                                  stderr=out, cwd=self.folder)

    def log(self, name):
        with open(self.path(name + ".log")) as file:
            return file.read()

    def start(self):
        os.makedirs(self.folder)
        subprocess.run([os.path.join(ROOT, "certs", "make-certs.sh"), "--quiet", "--dir", self.certs],
                       check=True)
        self.key = os.path.join(self.certs, "dev-issuer.key")
        self.token = subprocess.run([ROTARY, "token", "--key", self.key, "--issuer", ISSUER],
                                    check=True, text=True, stdout=subprocess.PIPE).stdout.strip()
        self.run("provider", ROTARY, "mock", "--listen", f"127.0.0.1:{self.provider}", "--tokens",
                 str(self.chunks), "--chunk-interval", "100ms")
        self.cluster.start()
        ours = os.path.join(ROOT, "deploy", "crds")
        if self.definitions:
            self.cluster.kubectl("apply", "--server-side", "-f", self.definitions)
            ours = os.path.join(ours, "rotary.dev.yaml")
        else:
            self.cluster.define_routes()
        self.cluster.kubectl("apply", "--server-side", "-f", ours)
        self.cluster.await_definitions()

    def issuer(self):
        certificate = subprocess.run(
            ["openssl", "req", "-x509", "-key", self.key, "-subj", "/CN=issuer", "-days", "2"],
            check=True, text=True, stdout=subprocess.PIPE).stdout
        return {"apiVersion": "dp.wso2.com/v1alpha2", "kind": "TokenIssuer", "metadata": {"name": "issuer"},
                "spec": {"name": "issuer", "issuer": ISSUER, "organization": "default",
                         "consumerKeyClaim": "azp", "scopesClaim": "scope",
                         "signatureValidation": {"certificate": {"certificateInline": certificate}}}}

    def sample(self):
        """The published sample's shape, whose Backends are the provider here, without its Secret."""
        with open(os.path.join(ROOT, "tests", "data", "config", "ai-api.yaml")) as file:
            objects = [one for one in yaml.safe_load_all(file) if one and one["kind"] != "Secret"]
        for one in objects:
            if one["kind"] == "Backend":
                one["spec"]["services"] = [{"host": "127.0.0.1", "port": self.provider}]
                one["spec"]["protocol"] = "http"
        return objects

    def apply(self, *objects):
        self.cluster.apply(yaml.safe_dump_all(objects), "--validate=strict")

    def stop(self):
        for process in self.running.values():
            process.kill()
            process.wait(PATIENCE)
        self.cluster.stop()


class Gateway:
    def __init__(self, stand, name="gateway", user="admin", namespace="default"):
        self.stand, self.name = stand, name
        self.port, self.admin = free_ports(2)
        kubeconfig = stand.cluster.write_kubeconfig(user)
        settings = {
            "workers": 2,
            "listeners": [{"address": "127.0.0.1", "port": self.port,
                           "tls": {"certificate": f"{stand.certs}/dev-server.crt",
                                   "key": f"{stand.certs}/dev-server.key"}}],
            "admin": {"address": "127.0.0.1", "port": self.admin},
            "kubernetes": {"kubeconfig": kubeconfig, "namespace": namespace},
            "log": {"level": "info"},
        }
        self.config = stand.path(name + ".yaml")
        with open(self.config, "w") as file:
            json.dump(settings, file)
        self.tls = ssl.create_default_context(cafile=f"{stand.certs}/dev-ca.crt")
        stand.run(name, ROTARY, "serve", "-c", self.config)

    def is_up(self):
        check(self.stand.running[self.name].poll() is None,
              f"the gateway has ended: {self.stand.log(self.name)[-3000:]}")
        return self.get("/livez")[0] == 200

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()

    def send(self, host=HOST, path=PATH, stream=False):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.tls,
                                                 timeout=PATIENCE)
        body = {"model": "any", "messages": [{"role": "user", "content": "Hello"}]}
        if stream:
            body["stream"] = True
        connection.request("POST", path, json.dumps(body),
                           {"host": host, "authorization": f"Bearer {self.stand.token}",
                            "content-type": "application/json"})
        return connection, connection.getresponse()

    def ask(self, host=HOST, path=PATH):
        """The status, and the model that answered."""
        connection, answer = self.send(host, path)
        answer.read()
        connection.close()
        return answer.status, answer.headers["x-rotary-model"]

    def wait_for(self, status, host=HOST, path=PATH):
        eventually(f"status {status} of {path}", lambda: self.ask(host, path)[0] == status)

    def stop(self):
        process = self.stand.running.pop(self.name)
        process.send_signal(signal.SIGTERM)
        check(process.wait(PATIENCE) == 0, f"{self.name} ended with {process.returncode}")


class Load:
    """Requests all the time from some threads, and what came of them."""

    def __init__(self, gateway, threads=4, pause=0):
        """With so many seconds between two of a thread."""
        self.gateway, self.pause = gateway, pause
        self.ending = threading.Event()
        self.counts = {}
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run) for _ in range(threads)]
        for one in self.threads:
            one.start()

    def run(self):
        while not self.ending.is_set():
            try:
                status = self.gateway.ask()[0]
            except (OSError, http.client.HTTPException) as error:
                status = repr(error)
            with self.lock:
                self.counts[status] = self.counts.get(status, 0) + 1
            self.ending.wait(self.pause)

    def end(self):
        self.ending.set()
        for one in self.threads:
            one.join()
        return self.counts


class Stream:
    """One answer that is read to its end, by a thread of its own."""

    def __init__(self, gateway):
        self.connection, self.answer = gateway.send(stream=True)
        check(self.answer.status == 200, f"a stream: {self.answer.status}")
        self.text = ""
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        try:
            self.text = self.answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self.text = repr(error)

    def end(self, patience=PATIENCE):
        self.thread.join(patience)
        check(self.text.rstrip().endswith("data: [DONE]"), f"a stream broke: {self.text[-300:]}")


def seconds(what, ask, most):
    """How long it took; more than `most` is a failure."""
    begin = time.monotonic()
    eventually(what, ask)
    took = time.monotonic() - begin
    check(took < most, f"{what} took {took:.2f} s, not {most}")
    return took


def conditions(stand, route):
    parents = json.loads(stand.cluster.kubectl("get", "httproute", route, "-o", "json")) \
        .get("status", {}).get("parents", [])
    own = [one for one in parents if one["controllerName"] == "rotary.dev/gateway"]
    return {one["type"]: one for one in own[0]["conditions"]} if own else {}


def deployment(stand, api):
    return json.loads(stand.cluster.kubectl("get", "api", api, "-o", "json")) \
        .get("status", {}).get("deploymentStatus", {})


def sample_is_served(stand, gateway):
    eventually("a gateway that lives", gateway.is_up)
    check(gateway.get("/readyz")[0] in (200, 503), "readyz")
    stand.apply(secret("tutor-secret", apiKey="sk-1"), stand.issuer(), *stand.sample())
    took = seconds("the sample is served", lambda: gateway.ask()[0] == 200, 1)
    say(f"the sample was served {took * 1000:.0f} ms after kubectl had ended")
    check(gateway.get("/readyz")[0] == 200, "ready once the objects are listed")


def status_is_told(stand):
    for kind, path in [("httproute/tutor-production-route",
                        '{.status.parents[0].conditions[?(@.type=="Accepted")].status}=True'),
                       ("httproute/tutor-production-route",
                        '{.status.parents[0].conditions[?(@.type=="Programmed")].status}=True'),
                       ("api/tutor-api", "{.status.deploymentStatus.accepted}=true")]:
        stand.cluster.kubectl("wait", kind, f"--for=jsonpath={path}", "--timeout=20s")
    check(deployment(stand, "tutor-api")["status"] == "Deployed", deployment(stand, "tutor-api"))
    say("conditions and deploymentStatus are told")


def edit_changes_turns(stand, gateway):
    models = {gateway.ask()[1] for _ in range(6)}
    check(models == {"large", "reasoning", "small"}, models)
    policy = next(one for one in stand.sample() if one["kind"] == "APIPolicy")
    for entry in policy["spec"]["default"]["modelBasedRoundRobin"]["productionModels"]:
        entry["weight"] = 1 if entry["model"] == "small" else 0
    stand.apply(policy)

    def is_changed():
        return {gateway.ask()[1] for _ in range(4)} == {"small"}
    say(f"an edit of weights was in force after {seconds('an edit', is_changed, 1) * 1000:.0f} ms")
    stand.apply(next(one for one in stand.sample() if one["kind"] == "APIPolicy"))


def reloads(stand):
    return stand.log("gateway").count('"reloaded"')


def many_edits_are_few_reloads(stand, gateway, a_second=100, lasting=3):
    """Under load; the last of them counts."""
    policy = next(one for one in stand.sample() if one["kind"] == "APIPolicy")
    path = target("dp.wso2.com/v1alpha4", "apipolicies", name=policy["metadata"]["name"])
    models = policy["spec"]["default"]["modelBasedRoundRobin"]["productionModels"]
    load, reloads_before, begin = Load(gateway, threads=1), reloads(stand), time.monotonic()
    for edit in range(a_second * lasting):
        for entry in models:
            entry["weight"] = 1 + edit if entry["model"] == "small" else 0
        answer = stand.cluster.request("PATCH", path, {"spec": policy["spec"]},
                                       "application/merge-patch+json")
        check(answer.status == 200, answer.text)
        time.sleep(max(0, begin + edit / a_second - time.monotonic()))  # so many a second
    took = time.monotonic() - begin
    eventually("the last edit", lambda: {gateway.ask()[1] for _ in range(4)} == {"small"})
    counts, made = load.end(), reloads(stand) - reloads_before
    check(set(counts) == {200}, f"requests while objects changed: {counts}")
    check(1 <= made <= 10 * took + 1, f"{made} reloads in {took:.1f} s")
    say(f"{a_second * lasting} edits in {took:.1f} s were {made} reloads, {counts[200]} requests went well")
    before = next(one for one in stand.sample() if one["kind"] == "APIPolicy")
    stand.cluster.apply(yaml.safe_dump(before), "--force-conflicts")


def provider_keys(stand):
    connection = http.client.HTTPConnection("127.0.0.1", stand.provider, timeout=PATIENCE)
    connection.request("GET", "/__mock/requests")
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def secret_rotates(stand, gateway):
    stand.apply(secret("tutor-secret", apiKey="sk-rotated"))

    def is_rotated():
        gateway.ask()
        return "sk-rotated" in provider_keys(stand)
    say(f"a new key was used after {seconds('a new key', is_rotated, 1) * 1000:.0f} ms")


def wrong_object_keeps_its_last_good(stand, gateway):
    """Each of a kind that is told in another way; the rest goes on, edits too."""
    api = next(one for one in stand.sample() if one["kind"] == "API")
    api["spec"]["basePath"] = "/tutor/2.0"  # does not end with the API's version
    stand.apply(api)
    eventually("an API that is held", lambda: deployment(stand, "tutor-api").get("status") == "Held")
    told = deployment(stand, "tutor-api")
    check(not told["accepted"] and "must end with the API's version" in told["message"], told)
    check(gateway.ask()[0] == 200, "the version that was good before")
    check(gateway.ask(path=PATH.replace("1.0", "2.0"))[0] == 404, "the version that is wrong")

    route = next(one for one in stand.sample() if one["metadata"]["name"] == "tutor-production-route")
    route["spec"]["rules"][0]["backendRefs"][0]["name"] = "nowhere"
    stand.apply(route)
    eventually("a reference to nowhere", lambda: conditions(stand, "tutor-production-route")
               .get("ResolvedRefs", {}).get("reason") == "BackendNotFound")
    told = conditions(stand, "tutor-production-route")
    check("nowhere" in told["ResolvedRefs"]["message"] and told["Programmed"]["status"] == "False", told)
    check(gateway.ask()[0] == 200, "the version of the route that was good before")

    backend = next(one for one in stand.sample() if one["kind"] == "Backend")
    backend["spec"]["services"][0]["host"] = "not a host"
    stand.apply(backend)
    eventually("an event of a Backend", lambda: "Invalid" in stand.cluster.kubectl(
        "events", "--for", f"backend/{backend['metadata']['name']}"))
    check(gateway.ask()[0] == 200, "the version of the Backend that was good before")

    stand.apply(*[one for one in stand.sample() if one["kind"] in ("API", "HTTPRoute", "Backend")])
    eventually("an API that is repaired",
               lambda: deployment(stand, "tutor-api").get("status") == "Deployed")
    eventually("a route that is repaired", lambda: conditions(stand, "tutor-production-route")
               .get("Programmed", {}).get("status") == "True")
    say("what was wrong kept its last good version, said so, and was repaired")


def other_controllers_entries_stay(stand):
    path = target("gateway.networking.k8s.io/v1", "httproutes", name="tutor-sandbox-route", more="status")
    route = stand.cluster.request("GET", path).json
    other = {"parentRef": route["spec"]["parentRefs"][0], "controllerName": "example.com/other",
             "conditions": [{"type": "Accepted", "status": "True", "reason": "Accepted", "message": "",
                             "lastTransitionTime": "2026-01-01T00:00:00Z"}]}
    parents = route["status"]["parents"] + [other]
    answer = stand.cluster.request("PATCH", path, {"status": {"parents": parents}},
                                   "application/merge-patch+json")
    check(answer.status == 200, answer.text)
    edited = next(one for one in stand.sample() if one["metadata"]["name"] == "tutor-sandbox-route")
    edited["spec"]["hostnames"].append("more.example.com")
    stand.apply(edited)
    generation = stand.cluster.request("GET", path).json["metadata"]["generation"]
    eventually("a new generation is seen", lambda: conditions(stand, "tutor-sandbox-route")
               ["Accepted"]["observedGeneration"] == generation)
    parents = stand.cluster.request("GET", path).json["status"]["parents"]
    check(other in parents and len(parents) == 2, parents)
    say("another controller's entry stayed as it was")


def statuses_written(gateway):
    found = re.search(r'^rotary_kubernetes_told_total\{how="status"\} (\d+)$', gateway.get("/metrics")[1],
                      re.M)
    return int(found[1]) if found else 0


def replicas_say_it_once(stand, gateway):
    second = Gateway(stand, "second")
    eventually("a second gateway", lambda: second.is_up() and second.get("/readyz")[0] == 200)
    first_before = statuses_written(gateway)
    route = next(one for one in stand.sample() if one["metadata"]["name"] == "tutor-sandbox-route")
    route["spec"]["hostnames"].append("once.example.com")
    stand.apply(route)
    path = target("gateway.networking.k8s.io/v1", "httproutes", name="tutor-sandbox-route")
    generation = stand.cluster.request("GET", path).json["metadata"]["generation"]
    eventually("an edit that is told", lambda: conditions(stand, "tutor-sandbox-route")
               ["Accepted"]["observedGeneration"] == generation)
    time.sleep(3)  # in which the other replica looks, and must find it said
    counts = statuses_written(gateway) - first_before, statuses_written(second)
    check(sum(counts) == 1, f"statuses written by two replicas of one edit: {counts}")
    second.stop()
    say("two replicas said it once")


def server_goes_away(stand, gateway):
    """Killed under load, with a stream open; what is edited when it is back is served."""
    stream = Stream(gateway)
    load = Load(gateway)
    stand.cluster.compact()
    stand.cluster.kill_server()
    time.sleep(2)  # it is the absence that is tried
    stand.cluster.start_server()
    stand.cluster.compact()
    route = next(one for one in stand.sample() if one["metadata"]["name"] == "tutor-production-route")
    route["spec"]["hostnames"].append("back.example.com")
    stand.apply(route)
    begin = time.monotonic()
    gateway.wait_for(200, host="back.example.com")
    say(f"an edit was in force {time.monotonic() - begin:.1f} s after the API server was back")
    stream.end()
    counts = load.end()
    check(set(counts) == {200}, f"requests while the API server was away: {counts}")
    say(f"{counts[200]} requests and a stream while it was away: none failed")


def deletes_are_seen(stand, gateway):
    eventually("watches of all kinds", lambda: "\nrotary_kubernetes_up 1\n" in gateway.get("/metrics")[1])
    stand.cluster.kubectl("delete", "api", "tutor-api")
    took = seconds("a delete", lambda: gateway.ask()[0] == 404, 1)
    say(f"a deleted API was gone after {took * 1000:.0f} ms")
    stand.apply(*stand.sample())
    gateway.wait_for(200)


def role(name, secrets):
    """What a gateway needs in its namespace, of Secrets those that are named; none: all."""
    reads = ["get", "list", "watch"]
    named = {"resourceNames": secrets} if secrets else {}
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name},
            "rules": [{"apiGroups": ["dp.wso2.com", "cp.wso2.com", "rotary.dev"], "resources": ["*"],
                       "verbs": reads},
                      {"apiGroups": ["gateway.networking.k8s.io"], "resources": ["httproutes"],
                       "verbs": reads},
                      {"apiGroups": ["dp.wso2.com"], "resources": ["apis/status"], "verbs": ["patch"]},
                      {"apiGroups": ["gateway.networking.k8s.io"], "resources": ["httproutes/status"],
                       "verbs": ["patch"]},
                      {"apiGroups": [""], "resources": ["configmaps"], "verbs": reads},
                      {"apiGroups": [""], "resources": ["secrets"], "verbs": reads, **named},
                      {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create"]}]}


def binding(name):
    group = "rbac.authorization.k8s.io"
    return {"apiVersion": f"{group}/v1", "kind": "RoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
            "subjects": [{"apiGroup": group, "kind": "User", "name": name}]}


def narrow_rights_are_enough(stand):
    """One Secret by its name; what has come of the objects is told with these rights too."""
    stand.apply(role("narrow", ["tutor-secret"]), binding("narrow"))
    gateway = Gateway(stand, "narrow", user="narrow")
    eventually("a gateway that lives", gateway.is_up)
    gateway.wait_for(200)
    stand.apply(secret("tutor-secret", apiKey="sk-narrow"))

    def is_rotated():
        gateway.ask()
        return "sk-narrow" in provider_keys(stand)
    eventually("a new key by narrow rights", is_rotated)
    route = next(one for one in stand.sample() if one["metadata"]["name"] == "tutor-production-route")
    route["spec"]["hostnames"].append("narrow.example.com")
    stand.apply(route)
    gateway.wait_for(200, host="narrow.example.com")
    gateway.stop()
    check("is not told" not in stand.log("narrow"), stand.log("narrow")[-2000:])
    say("narrow rights are enough")


def missing_rights_are_told(stand):
    """Not ready, with what is missing; ready once it is given."""
    gateway = Gateway(stand, "gateway-without", user="gateway")
    eventually("a gateway that lives", gateway.is_up)
    eventually("what is missing", lambda: "403" in gateway.get("/readyz")[1] or
               "forbidden" in gateway.get("/readyz")[1])
    status, text = gateway.get("/readyz")
    check(status == 503, text)
    eventually("the rule that is missing", lambda: "verbs" in stand.log("gateway-without"))
    stand.apply(role("gateway", []), binding("gateway"))
    gateway.wait_for(200)
    check(gateway.get("/readyz")[0] == 200, gateway.get("/readyz"))
    gateway.stop()
    say("rights that are missing were told, and taken up when they were given")


def with_our_definitions(stand):
    stand.start()
    gateway = Gateway(stand)
    sample_is_served(stand, gateway)
    status_is_told(stand)
    edit_changes_turns(stand, gateway)
    many_edits_are_few_reloads(stand, gateway)
    secret_rotates(stand, gateway)
    wrong_object_keeps_its_last_good(stand, gateway)
    other_controllers_entries_stay(stand)
    replicas_say_it_once(stand, gateway)
    server_goes_away(stand, gateway)
    deletes_are_seen(stand, gateway)
    gateway.stop()
    narrow_rights_are_enough(stand)
    missing_rights_are_told(stand)


def with_theirs(stand):
    stand.start()
    gateway = Gateway(stand)
    sample_is_served(stand, gateway)
    status_is_told(stand)
    gateway.stop()


def main():
    folder = os.path.join(os.path.realpath(sys.argv[1]), "kubernetes", "gateway")
    shutil.rmtree(folder, ignore_errors=True)
    stands = [(Stand(os.path.join(folder, "ours")), with_our_definitions)]
    theirs = os.environ.get("ROTARY_APK_CRDS")
    if theirs:
        stands.append((Stand(os.path.join(folder, "theirs"), theirs), with_theirs))
    for stand, what in stands:
        try:
            what(stand)
        finally:
            stand.stop()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
