#!/usr/bin/env python3
"""A thousand APIs of ten entries each in a real API server: how long a gateway takes to serve them,
how long an edit of one, and what memory it has.

usage: scale.py BUILD_FOLDER
ROTARY_SCALE: another number of APIs.
"""
import os
import shutil
import sys
import threading
import time

from cluster import check, eventually, say, secret, target
from gateway import Gateway, Stand

COUNT = int(os.environ.get("ROTARY_SCALE", "1000"))
ENTRIES = 10
# Three times what is promised of a machine that has nothing else to do.
START_SECONDS, EDIT_SECONDS = 15, 3


def path_of(number):
    return f"/scale-{number}/1.0"


def objects_of(number, weight=1):
    name = f"scale-{number}"
    backend = {"group": "dp.wso2.com", "kind": "Backend"}
    return [
        ("dp.wso2.com/v1alpha3", "apis", {
            "kind": "API", "metadata": {"name": name},
            "spec": {"apiName": name, "apiType": "REST", "apiVersion": "1.0", "basePath": path_of(number),
                     "organization": "default", "production": [{"routeRefs": [name]}]}}),
        ("gateway.networking.k8s.io/v1", "httproutes", {
            "kind": "HTTPRoute", "metadata": {"name": name},
            "spec": {"parentRefs": [{"name": "gateway"}],
                     "rules": [{"matches": [{"path": {"type": "PathPrefix", "value": "/chat"}}],
                                "backendRefs": [{**backend, "name": "scale-0"}]}]}}),
        ("dp.wso2.com/v1alpha4", "apipolicies", {
            "kind": "APIPolicy", "metadata": {"name": name},
            "spec": {"targetRef": {"group": "dp.wso2.com", "kind": "API", "name": name},
                     "default": {"modelBasedRoundRobin": {
                         "onQuotaExceedSuspendDuration": 60, "sandboxModels": [],
                         "productionModels": [
                             {"model": f"model-{entry}", "weight": weight if entry == 0 else 1,
                              "backendRef": {**backend, "name": f"scale-{entry}"}}
                             for entry in range(ENTRIES)]}}}}),
    ]


def backend_of(stand, entry):
    return {"apiVersion": "dp.wso2.com/v1alpha2", "kind": "Backend", "metadata": {"name": f"scale-{entry}"},
            "spec": {"services": [{"host": "127.0.0.1", "port": stand.provider}], "protocol": "http",
                     "basePath": "/v1",
                     "security": {"apiKey": {"in": "Header", "name": "Authorization",
                                             "valueFrom": {"name": "tutor-secret", "valueKey": "apiKey"}}}}}


def create_all(stand):
    """By several connections at a time: kubectl would take minutes."""
    numbers = iter(range(COUNT))
    lock = threading.Lock()
    failures = []

    def work():
        cluster = stand.cluster.another()
        while not failures:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            for version, plural, body in objects_of(number):
                answer = cluster.request("POST", target(version, plural), {"apiVersion": version, **body})
                if answer.status != 201:
                    failures.append(answer.text)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    check(not failures, failures)


def memory_of(process):
    with open(f"/proc/{process.pid}/status") as file:
        return next(int(line.split()[1]) // 1024 for line in file if line.startswith("VmRSS"))


def cpu_of(process):
    """Seconds that it has computed, all its threads."""
    with open(f"/proc/{process.pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def edits_cost(stand, times=10):
    """Of weights, each waited for; seconds of CPU of one."""
    process = stand.running["gateway"]
    begin = cpu_of(process)
    for edit in range(times):
        version, plural, body = objects_of(COUNT // 3, weight=2 + edit)[2]
        before = stand.log("gateway").count('"reloaded"')
        answer = stand.cluster.request("PATCH", target(version, plural, name=body["metadata"]["name"]),
                                       {"spec": body["spec"]}, "application/merge-patch+json")
        check(answer.status == 200, answer.text)
        eventually("an edit", lambda: stand.log("gateway").count('"reloaded"') != before)
    return (cpu_of(process) - begin) / times


def answers(gateway, number):
    return gateway.ask(host="scale.example.com", path=path_of(number) + "/chat/completions")[0] == 200


def main():
    folder = os.path.join(os.path.realpath(sys.argv[1]), "kubernetes", "scale")
    shutil.rmtree(folder, ignore_errors=True)
    stand = Stand(folder)
    try:
        stand.start()
        stand.apply(secret("tutor-secret", apiKey="sk-1"), stand.issuer(),
                    *[backend_of(stand, entry) for entry in range(ENTRIES)])
        create_all(stand)
        say(f"{COUNT} APIs of {ENTRIES} entries are there")

        begin = time.monotonic()
        gateway = Gateway(stand, "gateway")
        eventually("a gateway that lives", gateway.is_up)
        eventually("ready", lambda: gateway.get("/readyz")[0] == 200)
        took = time.monotonic() - begin
        check(answers(gateway, 0) and answers(gateway, COUNT - 1), "the first and the last")
        say(f"a gateway served them {took:.2f} s after its start, with "
            f"{memory_of(stand.running['gateway'])} MB")
        check(took < START_SECONDS, f"start: {took:.2f} s")

        version, plural, body = objects_of(COUNT // 2)[0]
        body["spec"]["basePath"] = "/moved/1.0"
        begin = time.monotonic()
        answer = stand.cluster.request("PATCH", target(version, plural, name=body["metadata"]["name"]),
                                       {"spec": body["spec"]}, "application/merge-patch+json")
        check(answer.status == 200, answer.text)
        eventually("an edit", lambda: gateway.ask(host="scale.example.com",
                                                  path="/moved/1.0/chat/completions")[0] == 200)
        took = time.monotonic() - begin
        say(f"an edit of one was in force after {took:.2f} s")
        check(took < EDIT_SECONDS, f"an edit: {took:.2f} s")

        begin = time.monotonic()
        last = target("dp.wso2.com/v1alpha3", "apis", name=f"scale-{COUNT - 1}")
        eventually("the status of the last API", lambda: stand.cluster.request("GET", last).json
                   .get("status", {}).get("deploymentStatus", {}).get("accepted"))
        say(f"the last API was told what has come of it {time.monotonic() - begin:.1f} s later; "
            f"{memory_of(stand.running['gateway'])} MB")
        say(f"each of more edits cost {edits_cost(stand) * 1000:.0f} ms of CPU")
        gateway.stop()
    finally:
        stand.stop()
    shutil.rmtree(folder)


main()
