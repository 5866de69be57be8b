"""The kustomize base is what the chart renders by its defaults, but for what is listed here; its
overlays are safe and their configurations right."""
import copy
import os
import subprocess
import tempfile
import unittest

import chart
from chart import ROOT, ROTARY, find, load_all, name_of, pod_of, run
from config_test import known_keys
from mounted import Pod, certificates
from security_test import breaches

# What the chart has besides: of Helm itself, and the Secret that an upgrade keeps.
HELMS_LABELS = ("app.kubernetes.io/managed-by", "app.kubernetes.io/version", "helm.sh/chart")
ONLY_IN_THE_CHART = {("Secret", "rotary-admin", "gateways")}
ONLY_ON_ITS_PODS = "rotary.dev/restart-settings"


def build(folder):
    status, text, errors = run(chart.KUBECTL, "kustomize", os.path.join(ROOT, "deploy/kustomize", folder))
    if status != 0 or errors:
        raise AssertionError("%s: %d: %s" % (folder, status, errors))
    return load_all(text)


def meaning(one):
    """Without what is Helm's, and the configuration as it is read."""
    one = copy.deepcopy(one)
    one["metadata"].pop("namespace", None)
    for label in HELMS_LABELS:
        one["metadata"]["labels"].pop(label, None)
    if one["kind"] == "Deployment":
        annotations = one["spec"]["template"]["metadata"].pop("annotations", {})
        if set(annotations) - {ONLY_ON_ITS_PODS}:
            raise AssertionError(annotations)
    if one["kind"] == "ConfigMap":
        del one["metadata"]["labels"]
        one["data"] = {name: load_all(text) for name, text in one["data"].items()}
    return one


class Kustomize(unittest.TestCase):
    maxDiff = None

    def test_base_is_the_charts_default(self):
        status, text, errors = run(chart.HELM, "template", "rotary", chart.CHART, "--namespace",
                                   chart.NAMESPACE)
        self.assertEqual((status, errors), (0, ""))
        ours = {name_of(one): meaning(one) for one in build("base")}
        charts = {name_of(one): meaning(one) for one in load_all(text)}
        self.assertEqual(set(charts) - set(ours), ONLY_IN_THE_CHART)
        for name, one in ours.items():
            with self.subTest(name):
                self.assertEqual(one, charts[name])

    def test_rights_are_the_charts(self):
        status, text, _ = run(chart.HELM, "template", "rotary", chart.CHART, "--namespace", "llm",
                              "--set", "kubernetes.enabled=true")
        self.assertEqual(status, 0)
        overlay, charts = build("overlays/kubernetes-source"), load_all(text)
        for kind in ("Role", "RoleBinding", "NetworkPolicy"):
            theirs = meaning(find(charts, kind))
            self.assertEqual(meaning(find(overlay, kind)), theirs)
        self.assertIs(pod_of(overlay)["automountServiceAccountToken"], True)

    def test_configurations(self):
        known = known_keys()
        for folder in ("base", "overlays/example", "overlays/kubernetes-source"):
            with self.subTest(folder), tempfile.TemporaryDirectory() as scratch:
                objects = build(folder)
                self.assertEqual(breaches(pod_of(objects)), [])
                config = load_all(find(objects, "ConfigMap", "rotary")["data"]["rotary.yaml"])[0]
                if set(config) - known:
                    self.skipTest("%s: not served by this binary" % folder)
                secrets = {"rotary-tls": certificates(os.path.join(scratch, "certs")),
                           "rotary-admin": {"token": "0123456789abcdef" * 2},
                           "provider-keys": {"openai": "sk-one"}}
                pod = Pod(objects, secrets, os.path.join(scratch, "pod"))
                done = subprocess.run([ROTARY, "check", "-c", pod.config], capture_output=True,
                                      text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
