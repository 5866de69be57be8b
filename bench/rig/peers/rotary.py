"""Rotary: a token checked, three models in turn, the body rewritten, a key of its own, metrics."""
import json
import os
import shutil

from rig.peers.peer import ROOT, Launch, Peer, first_line

GATEWAY = os.path.join(ROOT, "bench/load/gateway")
LIMITED = os.path.join(ROOT, "bench/load/limited")  # the same with limits, prices and a budget
GROUP = {"group": "dp.wso2.com", "kind": "Backend"}
OBJECTS_A_FILE = 500  # a file of resources has at most 1 MiB
LOGS = {"off": "no access log", "file": "JSON access log to a file", "pipe": "JSON access log to a pipe"}


def api(name, backends, models):
    """An API at /NAME/1.0 with one route and these models in rotation: (model, backend, weight)."""
    reference = {"group": "gateway.networking.k8s.io"}
    rules = [{"matches": [{"path": {"type": "Exact", "value": "/chat/completions"},
                           "method": "POST"}],
              "backendRefs": [GROUP | {"name": backends[0]}]}]
    entries = [{"model": model, "backendRef": GROUP | {"name": backend}, "weight": weight}
               for model, backend, weight in models]
    return [
        resource("dp.wso2.com/v1alpha3", "API", name, {
            "apiName": name, "apiType": "REST", "apiVersion": "1.0",
            "basePath": "/%s/1.0" % name, "organization": "default",
            "production": [{"routeRefs": [name]}]}),
        resource("gateway.networking.k8s.io/v1beta1", "HTTPRoute", name, {
            "rules": rules,
            "parentRefs": [reference | {"kind": "Gateway", "name": "wso2-apk-default"}]}),
        resource("dp.wso2.com/v1alpha4", "APIPolicy", name, {
            "default": {"aiProvider": {"name": "openai"}, "modelBasedRoundRobin": {
                "onQuotaExceedSuspendDuration": 60, "productionModels": entries,
                "sandboxModels": []}},
            "targetRef": reference | {"kind": "API", "name": name}}),
    ]


def backend(name, port, authority=None):
    key = {"in": "Header", "name": "Authorization",
           "valueFrom": {"name": "key", "valueKey": "upstream"}}
    spec = {"services": [{"host": "127.0.0.1", "port": port}], "basePath": "/v1",
            "protocol": "https" if authority else "http", "security": {"apiKey": key}}
    if authority:
        with open(authority, encoding="utf-8") as file:
            spec["tls"] = {"certificateInline": file.read()}
    return resource("dp.wso2.com/v1alpha2", "Backend", name, spec)


def resource(version, kind, name, spec):
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}


def extra_resources(site):
    """What a workload asks for besides the gateway's own API; "scale" is then the one that is
    asked, and the other routes are at home in files before it."""
    workload, objects = site.workload, []
    for number in range(1, workload.routes):
        name = "other-%05d" % number
        objects += [backend(name, site.provider)] + api(name, [name], [("gpt-4o", name, 1)])
    if workload.entries:
        models = [("model-%04d" % n, "upstream", 1 + n % 3) for n in range(workload.entries)]
        objects += api("scale", ["upstream"], models)
    elif workload.failing:
        objects += [backend("failing", site.failing)]
        objects += api("scale", ["upstream"], [("gpt-4o", "upstream", 1), ("bad", "failing", 1),
                                               ("gpt-4o-mini", "upstream", 1)])
    elif workload.upstream_tls:
        objects += [backend("secure", site.provider, site.authority)]
        objects += api("scale", ["secure"], [("gpt-4o", "secure", 3), ("gpt-4o-mini", "secure", 2),
                                             ("o1-mini", "secure", 1)])
    return objects


class Rotary(Peer):
    bears_scale = True
    retries = True
    upstream_tls = True

    def __init__(self, binary, log="file", name="Rotary"):
        self.binary, self.log = binary, log
        self.name = name if log == "file" else "%s, %s" % (
            name, {"off": "no log", "pipe": "log to a pipe"}[log])
        self.settings = "the whole of a gateway's work, metrics, " + LOGS[log]

    def missing(self):
        return "" if os.access(self.binary, os.X_OK) else "no binary at " + self.binary

    def version(self):
        return first_line([self.binary, "version"])

    def launch(self, site):
        workload = site.workload
        home = os.path.join(site.folder, "gateway")
        shutil.copytree(GATEWAY, home)
        if workload.limited:
            home = os.path.join(site.folder, "limited")
            shutil.copytree(LIMITED, home)
        objects = extra_resources(site)
        for begin in range(0, len(objects), OBJECTS_A_FILE):
            site.write("gateway/apis/a-%05d.yaml" % begin, "\n---\n".join(
                json.dumps(o) for o in objects[begin:begin + OBJECTS_A_FILE]) + "\n")
        if workload.failing:
            with open(home + "/rotary.yaml", "a", encoding="utf-8") as file:
                file.write("routing: {retry_budget_percent: 100, failures_to_suspend: 1000000}\n")
        if workload.tokens > 1:
            with open(home + "/rotary.yaml", "a", encoding="utf-8") as file:
                file.write("limits: {token_cache_entries: %d, token_cache_bytes: %d}\n" % (
                    2 * workload.tokens, 4096 * 2 * workload.tokens))
        special = workload.entries or workload.failing or workload.upstream_tls
        return Launch(
            [self.binary, "serve", "-c", home + "/rotary.yaml"],
            environment={
                "GATEWAY_PORT": str(site.port), "ADMIN_PORT": str(site.admin_port),
                "UPSTREAM_PORT": str(site.provider), "CERTS": site.certs, "ISSUER": site.issuer,
                "WORKERS": str(workload.workers),
                "ACCESS_LOG": "off" if self.log == "off" else "json"},
            path="/%s/1.0/chat/completions" % ("scale" if special else "chat"),
            log=self.log)
