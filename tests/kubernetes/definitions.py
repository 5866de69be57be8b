#!/usr/bin/env python3
"""What `rotary schema crds` prints, in a real API server: it takes the definitions as they are, takes
what `rotary check` takes, and refuses what `rotary check` refuses where a schema can see it.

usage: definitions.py BUILD_FOLDER
ROTARY_APK_CRDS: a folder with WSO2 APK's own definitions, which must take the samples too; without it
that part is left out.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys

import yaml

from cluster import ROOT, Cluster, check, fail, say, target

ROTARY = os.environ["ROTARY_BIN"]
CONFIG_TEST = os.environ["ROTARY_CONFIG_TEST"]
PLACEHOLDER = "base64_encoded_api_key"  # where a sample leaves the key to its reader

# Where the API server's JSON tells what the reader doesn't: a number is no text, a text no number.
STRICTER = re.compile(r'in body must be of type (string|integer|boolean): "(string|integer|number|boolean)"')

# Findings of the check that this schema has no words for, beside those of tests/editors/blind.mjs.
UNSEEN = [
    r'must be true or false, found "yes"$',  # the API server's YAML is 1.1
]


class Document:
    """One of a file of resources, as it is written."""

    def __init__(self, text, node):
        self.text = text[node.start_mark.index:node.end_mark.index]
        self.lines = range(node.start_mark.line + 1, node.end_mark.line + 2)
        value = yaml.load(self.text, yaml.BaseLoader)
        self.value = value if isinstance(value, dict) else {}

    @property
    def kind(self):
        return self.value.get("apiVersion"), self.value.get("kind")

    @property
    def namespace(self):
        metadata = self.value.get("metadata")
        return (metadata.get("namespace") if isinstance(metadata, dict) else None) or "default"


def documents_of(text):
    """None where it is no YAML."""
    try:
        return [Document(text, node) for node in yaml.compose_all(text) if node is not None]
    except yaml.YAMLError:
        return []


def definitions(*arguments):
    return subprocess.run([ROTARY, "schema", "crds", *arguments], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def blind():
    """What no schema sees, as the editors' tests have it."""
    with open(os.path.join(ROOT, "tests", "editors", "blind.mjs")) as file:
        found = re.findall(r"^    /(.*)/,$", file.read(), re.M)
    check(len(found) > 50, f"tests/editors/blind.mjs has another form: {len(found)}")
    return [re.compile(pattern.replace(r"\/", "/")) for pattern in found + UNSEEN]


def noted_loads(folder):
    """What the unit tests of the configuration load, right and wrong, with what is found in it."""
    os.makedirs(folder)
    done = subprocess.run([CONFIG_TEST, "--gtest_brief=1"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, "ROTARY_NOTED_LOADS": folder})
    check(done.returncode == 0, f"the unit tests of the configuration fail: {done.stdout[-2000:]}")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name)) as file:
            yield json.load(file)


class Judges:
    def __init__(self, cluster, kinds):
        self.cluster = cluster
        self.kinds = kinds  # by (apiVersion, kind), as they are called in a path
        self.blind = blind()
        self.failures = []
        self.namespaces = set()
        self.seen = set()
        self.compared = self.refused = 0

    def server_says(self, document):
        """What is wrong with it; empty: nothing."""
        namespace = document.namespace
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", namespace):
            return "no namespace is called so"
        if namespace not in self.namespaces:
            self.cluster.make_namespace(namespace)
            self.namespaces.add(namespace)
        version, _ = document.kind
        path = target(version, self.kinds[document.kind], namespace,
                      dryRun="All", fieldValidation="Strict")
        answer = self.cluster.request("POST", path, document.text, "application/yaml")
        return "" if answer.status == 201 else answer.message

    def compare(self, name, text, findings):
        for document in documents_of(text):
            key = (document.text, tuple(one["message"] for one in findings))
            if document.kind not in self.kinds or "${" in document.text or key in self.seen:
                continue
            self.seen.add(key)
            self.judge(name, document, [f"{one['path']}: {one['message']}" for one in findings
                                        if one["severity"] == "error" and
                                        one["line"] in document.lines])

    def judge(self, name, document, errors):
        said = self.server_says(document)
        self.compared += 1
        if said and errors:
            self.refused += 1
        elif said and not STRICTER.search(said):
            self.failures.append(f"{name}: the check takes it, the server says {said[:400]}")
        elif not said:
            self.failures += [f"{name}: only the check says: {one}" for one in errors
                              if not any(pattern.search(one) for pattern in self.blind)]


def look_at_definitions(cluster):
    """They are as structural as the server asks for, and served; what each kind is called."""
    kinds = {}
    items = json.loads(cluster.kubectl("get", "crd", "-o", "json"))["items"]
    for one in items:
        conditions = {condition["type"]: condition["status"]
                      for condition in one["status"]["conditions"]}
        check(conditions.get("Established") == "True", f"{one['metadata']['name']}: {conditions}")
        check(conditions.get("NamesAccepted") == "True", f"{one['metadata']['name']}: {conditions}")
        check("NonStructuralSchema" not in conditions, f"{one['metadata']['name']}: {conditions}")
        for version in one["spec"]["versions"]:
            kinds[(f"{one['spec']['group']}/{version['name']}", one["spec"]["names"]["kind"])] = \
                one["spec"]["names"]["plural"]
    return kinds


def samples():
    """Files of resources that are shipped, or that the unit tests take for good."""
    found = []
    for pattern in ["config/apis/*", "config/image/apis/*", "config/samples/*",
                    "tests/data/config/ai-api.yaml", "tests/data/config/apk/newest_versions.yaml"]:
        for name in sorted(glob.glob(os.path.join(ROOT, pattern))):
            with open(name) as file:
                if re.search(r"^apiVersion:", file.read(), re.M):
                    found.append(name)
    check(len(found) >= 6, f"only {found} were found")
    return found


def apply_samples(cluster, whose):
    for name in samples():
        with open(name) as file:
            # A variable stands for what this process knows; in a cluster there are none.
            text = file.read().replace(PLACEHOLDER, "a2V5")
        documents = [one for one in documents_of(text) if "${" not in one.text]
        for document in documents:
            cluster.make_namespace(document.namespace)
        cluster.apply("\n---\n".join(one.text for one in documents), "--dry-run=server",
                      "--validate=strict")
    say(f"{len(samples())} files of samples are taken by {whose} definitions")


def keeps_what_is_not_served(cluster):
    """An unknown field is refused at once; one that the gateway knows and doesn't serve is stored as
    it stands, so that what is said of it can be said."""
    policy = {"apiVersion": "dp.wso2.com/v1alpha4", "kind": "APIPolicy", "metadata": {"name": "kept"},
              "spec": {"default": {"requestInterceptors": [{"name": "i"}], "backendJwtPolicy": {"name": "j"}},
                       "targetRef": {"group": "gateway.networking.k8s.io", "kind": "API", "name": "a"}}}
    path = target("dp.wso2.com/v1alpha4", "apipolicies", fieldValidation="Strict")
    answer = cluster.request("POST", path, policy)
    check(answer.status == 201, answer.text)
    check(answer.json["spec"]["default"] == policy["spec"]["default"], answer.text)
    policy["spec"]["default"]["modelBasedRoundRobbin"] = {}
    answer = cluster.request("POST", path, policy)
    check(answer.status == 400 and 'unknown field "spec.default.modelBasedRoundRobbin"' in answer.message,
          answer.text)


def takes_null(cluster):
    """It counts as absent, whatever would stand there: a text, a choice, a mapping, what is kept."""
    backend = {"apiVersion": "dp.wso2.com/v1alpha2", "kind": "Backend", "metadata": {"name": "nulls"},
               "spec": {"services": [{"host": "h.example.com", "port": 443}], "basePath": None,
                        "protocol": None, "timeout": None, "retry": {"count": 1, "statusCodes": None},
                        "tls": {"allowedSANs": None}}}
    path = target("dp.wso2.com/v1alpha2", "backends", dryRun="All", fieldValidation="Strict")
    answer = cluster.request("POST", path, backend)
    check(answer.status == 201, answer.message)
    check(answer.json["spec"].get("protocol", "") == "", answer.text)
    backend["spec"]["services"][0]["host"] = None
    answer = cluster.request("POST", path, backend)
    check(answer.status == 422, f"null for what is required: {answer.text}")


def keeps_status(cluster):
    """Of an API what has become of it, by the subresource alone."""
    with open(os.path.join(ROOT, "tests", "data", "config", "apk", "newest_versions.yaml")) as file:
        api = next(one for one in yaml.safe_load_all(file) if one and one.get("kind") == "API")
    api["metadata"] = {"name": "stated"}
    path = target("dp.wso2.com/v1alpha3", "apis")
    check(cluster.request("POST", path, api).status == 201, "an API")
    status = {"deploymentStatus": {"accepted": True, "status": "Deployed", "message": "served",
                                   "transitionTime": "2026-01-01T00:00:00Z"}}
    answer = cluster.request("PATCH", target("dp.wso2.com/v1alpha3", "apis", name="stated", more="status"),
                             {"status": status}, "application/merge-patch+json")
    check(answer.status == 200 and answer.json["status"] == status, answer.text)
    table = cluster.kubectl("get", "api", "stated").splitlines()
    check(re.fullmatch(r"NAME +API NAME +VERSION +BASEPATH +ACCEPTED +STATUS +AGE *", table[0]), table)
    check("true" in table[1] and "Deployed" in table[1], table)
    check("stated" in cluster.kubectl("get", "rotary"), "the category of the kinds")


def judge_texts(cluster, kinds, folder):
    judges = Judges(cluster, kinds)
    for note in noted_loads(folder):
        for one in note["resources"]:
            judges.compare(note["test"], one["text"],
                           [finding for finding in note["findings"] if finding["file"] == one["file"]])
    if judges.failures:
        fail("\n".join(judges.failures) + f"\n{len(judges.failures)} of {judges.compared} objects")
    check(judges.compared >= 200, f"only {judges.compared} objects were compared")
    check(judges.refused >= 50, f"only {judges.refused} objects were refused by both")
    say(f"{judges.compared} objects are judged alike; {judges.refused} were refused by both")


def look_at_ours(folder):
    cluster = Cluster(os.path.join(folder, "ours"))
    try:
        cluster.start()
        cluster.define_routes()
        cluster.apply_definitions(definitions())
        kinds = look_at_definitions(cluster)
        ours = {key: name for key, name in kinds.items() if not key[0].startswith("gateway.")}
        check(len(ours) == definitions().count("kind: \"CustomResourceDefinition\""), ours)
        say(f"{len(ours)} kinds are established")
        apply_samples(cluster, "our")
        keeps_what_is_not_served(cluster)
        takes_null(cluster)
        keeps_status(cluster)
        judge_texts(cluster, ours, os.path.join(folder, "loads"))
    finally:
        cluster.stop()


def look_at_theirs(folder):
    theirs = os.environ.get("ROTARY_APK_CRDS")
    if not theirs:
        say("without ROTARY_APK_CRDS nothing is tried with WSO2 APK's own definitions")
        return
    cluster = Cluster(os.path.join(folder, "theirs"))
    try:
        cluster.start()
        for name in sorted(glob.glob(os.path.join(theirs, "*.yaml"))):
            cluster.kubectl("apply", "--server-side", "-f", name)
        cluster.apply_definitions(definitions("--group", "rotary.dev"))
        apply_samples(cluster, "WSO2 APK's")
    finally:
        cluster.stop()


def main():
    folder = os.path.join(os.path.realpath(sys.argv[1]), "kubernetes", "definitions")
    shutil.rmtree(folder, ignore_errors=True)
    look_at_ours(folder)
    look_at_theirs(folder)
    shutil.rmtree(folder)


main()
