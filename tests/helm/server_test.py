"""The chart and a real API server: what is rendered passes its strict check and its OpenAPI, pods its
Pod Security admission, rights are those that are meant; install, upgrade, rollback, uninstall."""
import copy
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import yaml

import chart
from chart import CASES, NAMESPACE, RELEASE, ROOT, find, name_of, pod_of, render
from config_test import PATIENCE, Secrets, free_ports, known_keys, serving
from kustomize_test import build
from mounted import Pod
from openapi import OpenApi

sys.path.append(os.path.join(ROOT, "tests/kubernetes"))
from cluster import Cluster  # pylint: disable=wrong-import-position

NAMESPACES = (NAMESPACE, "team-a", "team-b", "llm", "restricted")


OPERATOR = "github.com/prometheus-operator/prometheus-operator"


def operators_kinds():
    """The files that define them, or None where Go is missing."""
    if not shutil.which("go"):
        return None
    folder, found = os.path.join(chart.HERE, "operator"), None
    for command in (["go", "mod", "download"], ["go", "list", "-m", "-f", "{{.Dir}}", OPERATOR]):
        found = subprocess.run(command, cwd=folder, env=os.environ | {"GOFLAGS": "-mod=readonly"},
                               capture_output=True, text=True, check=True)
    crds = os.path.join(found.stdout.strip(), "example/prometheus-operator-crd")
    return [os.path.join(crds, "monitoring.coreos.com_%s.yaml" % kind)
            for kind in ("servicemonitors", "prometheusrules")]


def definitions():
    folder = os.path.join(ROOT, "deploy/crds")
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder))
            if name.endswith(".yaml")]


class Gateway:
    """On the folders that a pod of the chart has, as a process of this machine."""

    def __init__(self, objects, folder, port, account):
        secrets = Secrets(folder).all
        ports = dict(zip(("requests", "admin"), free_ports(2)))
        self.pod = Pod(objects, secrets, os.path.join(folder, "pod"), ports)
        with open(self.pod.config, encoding="utf-8") as file:
            config = yaml.safe_load(file)
        config["kubernetes"]["service_account"] = account
        self.pod.volumes["/etc/rotary/config"].publish({"rotary.yaml": yaml.safe_dump(config)})
        environment = self.pod.environment | {
            "KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(port)}
        self.file = open(os.path.join(folder, "log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(serving(self.pod), env=environment, stdout=self.file,
                                        stderr=self.file)

    def log(self):
        self.file.seek(0)
        return self.file.read()

    def wait_until_ready(self):
        until = time.monotonic() + PATIENCE
        while subprocess.run([chart.ROTARY, "healthcheck", "-c", self.pod.config],
                             capture_output=True, check=False).returncode != 0:
            if time.monotonic() > until or self.process.poll() is not None:
                raise AssertionError("not ready: " + self.log()[-3000:])
            time.sleep(0.05)

    def end(self):
        self.process.kill()
        self.process.wait()
        self.file.close()


class Server(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.cluster = Cluster(cls.scratch.name)
        cls.addClassCleanup(cls.cluster.stop)
        try:
            cls.cluster.start()
        except BaseException:  # it exits, and then no clean-up is called
            cls.cluster.stop()
            raise
        for name in NAMESPACES:
            cls.cluster.make_namespace(name)
        cls.cluster.kubectl("label", "namespace", "restricted",
                            "pod-security.kubernetes.io/enforce=restricted",
                            "pod-security.kubernetes.io/enforce-version=latest")

    def helm(self, *arguments):
        status, text, errors = chart.run(
            chart.HELM, "--kubeconfig", self.cluster.kubeconfig, "--namespace", NAMESPACE, *arguments)
        self.assertEqual(status, 0, errors)
        return text

    def stored(self, kind, name, namespace=NAMESPACE):
        """None where it is not."""
        text = self.cluster.kubectl("-n", namespace, "get", kind, name, "-o", "json",
                                    "--ignore-not-found")
        return json.loads(text) if text.strip() else None

    def dry_run(self, objects, namespace=NAMESPACE, code=0):
        return self.cluster.kubectl("-n", namespace, "apply", "--dry-run=server", "--validate=strict",
                                    "-f", "-", stdin=yaml.safe_dump_all(objects), code=code)

    def pod(self, objects):
        spec = copy.deepcopy(pod_of(objects))
        for name in ("priorityClassName", "runtimeClassName"):  # this cluster has none
            spec.pop(name, None)
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": spec}

    def test_strict_check(self):
        for case in CASES:
            with self.subTest(case):
                objects = render(case, operator=False)
                for namespace in {name_of(one)[2] for one in objects}:
                    said = self.dry_run([one for one in objects if name_of(one)[2] == namespace],
                                        namespace)
                    self.assertIn("(server dry run)", said)
                    self.assertNotIn("arning", said)
        for folder in ("base", "overlays/example", "overlays/kubernetes-source"):
            with self.subTest(folder):
                self.dry_run(build(folder), "gateways" if folder == "base" else "llm")
        with self.subTest("a mistake is seen"):
            objects = copy.deepcopy(render("default"))
            pod_of(objects)["containers"][0]["readynessProbe"] = {}
            self.assertIn("readynessProbe", self.dry_run(objects, code=1))

    def test_open_api(self):
        def ask(path):
            answer = self.cluster.request("GET", path)
            self.assertEqual(answer.status, 200, path)
            return answer.json
        published = OpenApi(ask)
        for case in CASES:
            for one in render(case, operator=False):
                self.assertEqual(published.findings(one), [], case)
        for folder in ("base", "overlays/example", "overlays/kubernetes-source"):
            for one in build(folder):
                self.assertEqual(published.findings(one), [], folder)
        wrong = copy.deepcopy(find(render("autoscaling"), "HorizontalPodAutoscaler"))
        wrong["spec"]["minReplica"] = wrong["spec"].pop("minReplicas")
        wrong["spec"]["maxReplicas"] = "20"
        self.assertEqual(published.findings(wrong), [
            "HorizontalPodAutoscaler.spec.maxReplicas: '20' is no integer",
            "HorizontalPodAutoscaler.spec.minReplica is not known"])

    def test_pod_security(self):
        for case in CASES:
            with self.subTest(case):
                self.assertIn("pod/one created", self.dry_run([self.pod(render(case))], "restricted"))
        wrong = self.pod(render("default"))
        del wrong["spec"]["securityContext"]["seccompProfile"]
        self.assertIn('violates PodSecurity "restricted:latest"',
                      self.dry_run([wrong], "restricted", code=1))

    def may(self, verb, group, resource, namespace, name=""):
        resource, _, sub = resource.partition("/")
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
            "user": "system:serviceaccount:%s:%s-rotary" % (NAMESPACE, RELEASE),
            "resourceAttributes": {"verb": verb, "group": group, "resource": resource,
                                   "subresource": sub, "namespace": namespace, "name": name}}}
        answer = self.cluster.request(
            "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
        self.assertEqual(answer.status, 201, answer.text)
        return answer.json["status"]["allowed"]

    def rights(self, case):
        self.applied([one for one in render(case) if "Role" in one["kind"]])

    def applied(self, objects):
        """Until the test ends."""
        for one in objects:
            text, there = yaml.safe_dump(one), ("-n", name_of(one)[2])
            self.cluster.apply(text, *there)
            self.addCleanup(self.cluster.kubectl, *there, "delete", "--ignore-not-found", "-f", "-",
                            stdin=text)

    def test_rights(self):
        self.rights("kubernetes")
        for namespace, is_served in (("team-a", True), ("team-b", True), (NAMESPACE, False)):
            for verb, group, resource in (
                    ("list", "dp.wso2.com", "apis"), ("list", "rotary.dev", "consumerkeys"),
                    ("watch", "gateway.networking.k8s.io", "httproutes"), ("get", "", "secrets"),
                    ("patch", "dp.wso2.com", "apis/status"), ("create", "events.k8s.io", "events")):
                self.assertIs(self.may(verb, group, resource, namespace), is_served,
                              (namespace, verb, resource))
        for verb, group, resource in (
                ("patch", "dp.wso2.com", "apis"), ("create", "", "secrets"), ("list", "", "pods"),
                ("delete", "", "configmaps"), ("update", "", "secrets"), ("create", "", "events")):
            self.assertFalse(self.may(verb, group, resource, "team-a"), (verb, resource))

    def test_rights_on_named_secrets(self):
        self.rights("narrow")
        for name, is_named in (("openai", True), ("mistral", True), ("other", False), ("", False)):
            for verb in ("get", "list", "watch"):
                self.assertIs(self.may(verb, "", "secrets", NAMESPACE, name), is_named, (verb, name))

    def account_folder(self, folder, name):
        """What a kubelet mounts of a service account."""
        path = "/api/v1/namespaces/%s/serviceaccounts/%s/token" % (NAMESPACE, name)
        answer = self.cluster.request("POST", path, {
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": {"expirationSeconds": 3600}})
        self.assertEqual(answer.status, 201, answer.text)
        os.mkdir(folder)
        with open(self.cluster.path("ca.crt"), encoding="utf-8") as file:
            authority = file.read()
        for file, text in (("token", answer.json["status"]["token"]), ("ca.crt", authority),
                           ("namespace", NAMESPACE)):
            with open(os.path.join(folder, file), "w", encoding="utf-8") as out:
                out.write(text)
        return folder

    def test_rights_are_enough(self):
        """A gateway as the chart makes it, with the account's own token, becomes ready."""
        if "kubernetes" not in known_keys():
            self.skipTest("not served by this binary: kubernetes")
        self.cluster.define_routes()
        for name in definitions():
            self.cluster.kubectl("apply", "--server-side", "-f", name)
        self.cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
        for case in ("kubernetes", "narrow", "cluster"):
            with self.subTest(case), tempfile.TemporaryDirectory() as folder:
                self.rights(case)
                objects = render(case)
                self.applied([find(objects, "ServiceAccount")])
                gateway = Gateway(objects, folder, self.cluster.port, self.account_folder(
                    os.path.join(folder, "account"), RELEASE + "-rotary"))
                try:
                    gateway.wait_until_ready()
                    log = gateway.log()
                    self.assertNotRegex(log, '(?i)forbidden|"level":"error"')
                    one_by_one = re.findall('one by one:.*"kind":"([A-Za-z]+)"', log)
                    self.assertEqual(one_by_one, ["Secret"] if case == "narrow" else [])
                    if definitions():
                        self.assertNotIn("is not installed", log)
                finally:
                    gateway.end()

    def test_release(self):
        name = RELEASE + "-rotary"
        values = chart.values_file("default")
        self.helm("install", RELEASE, chart.CHART, "--values", values)
        first = self.stored("deployment", name)
        token = self.stored("secret", name + "-admin")["data"]["token"]

        with self.subTest("an upgrade of what is taken up live replaces no pod, and no token"):
            self.helm("upgrade", RELEASE, chart.CHART, "--values", values,
                      "--set", "config.log.level=debug")
            second = self.stored("deployment", name)
            self.assertEqual(second["metadata"]["generation"], first["metadata"]["generation"])
            self.assertIn("debug", self.stored("configmap", name)["data"]["rotary.yaml"])
            self.assertEqual(self.stored("secret", name + "-admin")["data"]["token"], token)

        with self.subTest("one that needs a restart does"):
            self.helm("upgrade", RELEASE, chart.CHART, "--values", values, "--set", "config.workers=3")
            third = self.stored("deployment", name)
            self.assertGreater(third["metadata"]["generation"], first["metadata"]["generation"])

        with self.subTest("a refused upgrade changes nothing"):
            before = self.stored("deployment", name)
            status, _, errors = chart.run(
                chart.HELM, "--kubeconfig", self.cluster.kubeconfig, "--namespace", NAMESPACE,
                "upgrade", RELEASE, chart.CHART, "--set", "terminationGracePeriodSeconds=1")
            self.assertEqual(status, 1)
            self.assertIn("terminationGracePeriodSeconds: 1 must be more", errors)
            self.assertEqual(self.stored("deployment", name), before)

        with self.subTest("a rollback brings the first back"):
            self.helm("rollback", RELEASE, "1")
            back = self.stored("deployment", name)
            self.assertEqual(back["spec"]["template"], first["spec"]["template"])
            self.assertEqual(self.stored("secret", name + "-admin")["data"]["token"], token)

        with self.subTest("nothing is left behind"):
            self.helm("uninstall", RELEASE)
            for kind in ("deployment", "service", "configmap", "secret", "pdb", "networkpolicy",
                         "serviceaccount", "hpa"):
                left = self.cluster.kubectl("-n", NAMESPACE, "get", kind, "-o", "name",
                                            "-l", "app.kubernetes.io/instance=" + RELEASE)
                self.assertEqual(left.strip(), "", kind)

    def test_autoscaler_keeps_its_number(self):
        """Helm applies what is said of the Deployment, and with an autoscaler says no number."""
        name, values = "moving-rotary", chart.values_file("autoscaling")
        self.helm("install", "moving", chart.CHART, "--values", values)
        self.cluster.kubectl("-n", NAMESPACE, "scale", "deployment", name, "--replicas=7")
        self.helm("upgrade", "moving", chart.CHART, "--values", values,
                  "--set", "config.workers=3")
        self.assertEqual(self.stored("deployment", name)["spec"]["replicas"], 7)
        self.assertEqual(self.stored("hpa", name)["spec"]["maxReplicas"], 20)
        self.helm("uninstall", "moving")

    def test_autoscaler_takes_over(self):
        """A number that Helm said is Helm's, and goes with it, unless another has changed it."""
        name = "fixed-rotary"
        for scaled, left in ((None, 1), (5, 5)):
            self.helm("install", "fixed", chart.CHART, "--set", "replicaCount=4")
            if scaled:
                self.cluster.kubectl("-n", NAMESPACE, "scale", "deployment", name,
                                     "--replicas=%d" % scaled)
            self.helm("upgrade", "fixed", chart.CHART, "--values", chart.values_file("autoscaling"))
            self.assertEqual(self.stored("deployment", name)["spec"]["replicas"], left)
            if scaled:
                self.helm("upgrade", "fixed", chart.CHART, "--set", "replicaCount=3",
                          "--force-conflicts")
                self.assertEqual(self.stored("deployment", name)["spec"]["replicas"], 3)
            self.helm("uninstall", "fixed")

    def test_operators_kinds(self):
        """Of a cluster that knows them the chart makes them, and they are as they must be."""
        files = operators_kinds()
        if files is None:
            self.skipTest("go is not installed, which has the Prometheus Operator's definitions")
        values = chart.values_file("everything")
        self.helm("install", "unwatched", chart.CHART, "--values", values)
        self.helm("uninstall", "unwatched")  # the cluster does not know them yet
        for file in files:
            self.cluster.kubectl("apply", "--server-side", "-f", file)
        self.cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd",
                             "servicemonitors.monitoring.coreos.com",
                             "prometheusrules.monitoring.coreos.com")
        self.helm("install", "watched", chart.CHART, "--values", values)
        self.assertIsNotNone(self.stored("servicemonitor", "gateway"))
        rules = self.stored("prometheusrule", "gateway")["spec"]
        self.assertEqual(rules, find(render("everything"), "PrometheusRule")["spec"])
        self.helm("uninstall", "watched")
        said = self.dry_run(render("everything"))
        self.assertIn("servicemonitor.monitoring.coreos.com/gateway created", said)
        wrong = copy.deepcopy(find(render("everything"), "ServiceMonitor"))
        wrong["spec"]["endpoints"][0]["intervall"] = "15s"
        self.assertIn("intervall", self.dry_run([wrong], code=1))

    def test_definitions_of_kinds(self):
        name = "consumerkeys.rotary.dev"
        if not definitions():
            self.skipTest("deploy/crds is empty")
        self.helm("install", "kinds", chart.CHART, "--set", "crds.install=true")
        self.cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", name)
        self.helm("upgrade", "kinds", chart.CHART, "--set", "crds.install=true")
        self.helm("uninstall", "kinds")
        self.assertIsNotNone(self.stored("crd", name))


if __name__ == "__main__":
    unittest.main()
