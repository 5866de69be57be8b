"""What is rendered of which values, by meaning."""
import json
import os
import re
import tempfile
import unittest

import yaml

import chart
from chart import CASES, ROOT, config_of, container_of, find, has, name_of, pod_of, render

ALWAYS = {("Deployment", "llm-rotary"), ("Service", "llm-rotary"), ("ConfigMap", "llm-rotary")}
USUAL = ALWAYS | {("Service", "llm-rotary-admin"), ("Secret", "llm-rotary-admin"),
                  ("ServiceAccount", "llm-rotary"), ("PodDisruptionBudget", "llm-rotary"),
                  ("NetworkPolicy", "llm-rotary")}
HERE = {"namespace": "gateways"}


class Objects(unittest.TestCase):
    def made(self, case, **more):
        return {(kind, name) if namespace == "gateways" else (kind, name, namespace)
                for kind, name, namespace in map(name_of, render(case, **more))}

    def test_default(self):
        self.assertEqual(self.made("default"), USUAL)

    def test_served(self):
        self.assertEqual(self.made("served"), USUAL - {("Secret", "llm-rotary-admin")} |
                         {("ConfigMap", "llm-rotary-resources")})

    def test_plaintext(self):
        self.assertEqual(self.made("plaintext"), ALWAYS | {("Secret", "llm-rotary-admin")})

    def test_kubernetes(self):
        self.assertEqual(self.made("kubernetes"), USUAL | {
            (kind, "llm-rotary", namespace) for kind in ("Role", "RoleBinding")
            for namespace in ("team-a", "team-b")})

    def test_everything(self):
        def named(kinds):
            return {(kind, "gateway") for kind in kinds}
        self.assertEqual(self.made("everything"), named((
            "Deployment", "Service", "ConfigMap", "PodDisruptionBudget", "NetworkPolicy", "Role",
            "RoleBinding", "HorizontalPodAutoscaler", "ServiceMonitor", "PrometheusRule")) | {
                ("ServiceAccount", "llm-gateway"), ("Service", "gateway-admin"),
                ("Secret", "gateway-admin"), ("ConfigMap", "gateway-dashboard")})

    def test_operator_kinds_only_where_they_are_known(self):
        without = {kind for kind, *_ in self.made("everything", operator=False)}
        self.assertFalse(without & {"ServiceMonitor", "PrometheusRule"})

    def test_packed_it_is_the_same(self):
        """Rules, dashboard and definitions lie elsewhere in deploy/, and go along as files."""
        with tempfile.TemporaryDirectory() as folder:
            status, text, errors = chart.run(chart.HELM, "package", chart.CHART, "-d", folder)
            self.assertEqual((status, errors), (0, ""), text)
            (name,) = os.listdir(folder)
            status, text, errors = chart.run(
                chart.HELM, "template", chart.RELEASE, os.path.join(folder, name), "--namespace",
                chart.NAMESPACE, "--values", chart.values_file("everything"),
                *[word for kind in chart.OPERATOR for word in ("--api-versions", kind)])
            self.assertEqual((status, errors), (0, ""))
            self.assertEqual([one for one in chart.load_all(text) if one["kind"] != "Secret"],
                             [one for one in render("everything") if one["kind"] != "Secret"])

    def test_definitions_of_kinds(self):
        folder = os.path.join(ROOT, "deploy/crds")
        wanted = []
        for name in sorted(os.listdir(folder)):
            if name.endswith(".yaml"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    wanted += chart.load_all(file.read())
        if not wanted:
            self.skipTest("deploy/crds is empty")
        made = [one for one in render("default", "--set", "crds.install=true")
                if one["kind"] == "CustomResourceDefinition"]
        for one in made:
            # An uninstall would take every object of the kind with it.
            self.assertEqual(one["metadata"]["annotations"].pop("helm.sh/resource-policy"), "keep")
            if not one["metadata"]["annotations"]:
                del one["metadata"]["annotations"]
        self.assertEqual(sorted(made, key=name_of), sorted(wanted, key=name_of))
        self.assertFalse(has(render("kubernetes"), "CustomResourceDefinition"))

    def test_lint(self):
        for case in CASES:
            with self.subTest(case):
                status, text, errors = chart.run(
                    chart.HELM, "lint", "--strict", chart.CHART, "--values", chart.values_file(case))
                self.assertEqual((status, errors), (0, ""), text)
                self.assertNotRegex(text, r"\[(WARNING|ERROR)\]")


class Deployment(unittest.TestCase):
    def test_replicas_are_the_autoscalers(self):
        self.assertEqual(find(render("default"), "Deployment")["spec"]["replicas"], 2)
        for case in ("autoscaling", "everything"):
            objects = render(case)
            self.assertNotIn("replicas", find(objects, "Deployment")["spec"])
            target = find(objects, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
            self.assertEqual(target["name"], find(objects, "Deployment")["metadata"]["name"])

    def test_autoscaler(self):
        spec = find(render("autoscaling"), "HorizontalPodAutoscaler")["spec"]
        self.assertEqual((spec["minReplicas"], spec["maxReplicas"]), (3, 20))
        in_flight, cpu = spec["metrics"]
        self.assertEqual(in_flight, {"type": "Pods", "pods": {
            "metric": {"name": "rotary_requests_in_flight"},
            "target": {"type": "AverageValue", "averageValue": "50"}}})
        self.assertEqual(cpu["resource"]["target"], {"type": "Utilization",
                                                     "averageUtilization": 80})
        with open(os.path.join(ROOT, "docs/reference/metrics.md"), encoding="utf-8") as page:
            self.assertIn("`rotary_requests_in_flight`", page.read())

    def test_grace_covers_sleep_and_drain(self):
        for case, sleep, drain, grace in (("default", 5, 30, 44), ("served", 5, 300, 314),
                                          ("plaintext", 0, 30, 39), ("everything", 5, 90, 120)):
            with self.subTest(case):
                objects = render(case)
                hook = container_of(objects).get("lifecycle", {}).get("preStop", {})
                self.assertEqual(hook.get("sleep", {}).get("seconds", 0), sleep)
                self.assertEqual(pod_of(objects)["terminationGracePeriodSeconds"], grace)
                self.assertGreater(grace, sleep + drain)

    def test_selectors_find_the_pods(self):
        for case in CASES:
            with self.subTest(case):
                objects = render(case)
                labels = find(objects, "Deployment")["spec"]["template"]["metadata"]["labels"]
                selectors = [find(objects, "Deployment")["spec"]["selector"]["matchLabels"]]
                for one in objects:
                    spec = one.get("spec", {})
                    if one["kind"] == "Service":
                        selectors.append(spec["selector"])
                    elif one["kind"] == "PodDisruptionBudget":
                        selectors.append(spec["selector"]["matchLabels"])
                    elif one["kind"] == "NetworkPolicy":
                        selectors.append(spec["podSelector"]["matchLabels"])
                for one in pod_of(objects).get("topologySpreadConstraints", []):
                    selectors.append(one["labelSelector"]["matchLabels"])
                for selector in selectors:
                    self.assertEqual(len(selector), 2)
                    self.assertLessEqual(selector.items(), labels.items())

    def test_ports_have_their_names(self):
        for case in CASES:
            objects = render(case)
            container = container_of(objects)
            names = {one["name"]: one["containerPort"] for one in container["ports"]}
            config = config_of(objects)
            self.assertEqual(names, {"requests": config["listeners"][0]["port"],
                                     "admin": config["admin"]["port"]})
            for probe, path in (("startupProbe", "/livez"), ("livenessProbe", "/livez"),
                                ("readinessProbe", "/readyz")):
                self.assertEqual(container[probe]["httpGet"], {"path": path, "port": "admin"})
            for service in (one for one in objects if one["kind"] == "Service"):
                for port in service["spec"]["ports"]:
                    self.assertIn(port["targetPort"], names)

    def test_token_of_the_account(self):
        for case in CASES:
            objects = render(case)
            uses = "kubernetes" in config_of(objects)
            self.assertEqual(uses, case in ("kubernetes", "narrow", "everything", "cluster"), case)
            self.assertIs(pod_of(objects)["automountServiceAccountToken"], uses)
            if has(objects, "ServiceAccount"):
                self.assertIs(find(objects, "ServiceAccount")["automountServiceAccountToken"], False)

    def test_spread(self):
        self.assertEqual([one["topologyKey"] for one in
                          pod_of(render("default"))["topologySpreadConstraints"]],
                         ["topology.kubernetes.io/zone", "kubernetes.io/hostname"])
        self.assertNotIn("topologySpreadConstraints", pod_of(render("plaintext")))
        self.assertNotIn("affinity", pod_of(render("default")))
        for case, how in (("autoscaling", "preferred"), ("everything", "required")):
            self.assertIn(how + "DuringSchedulingIgnoredDuringExecution",
                          pod_of(render(case))["affinity"]["podAntiAffinity"])

    def test_what_is_said_arrives(self):
        objects = render("everything")
        pod, container = pod_of(objects), container_of(objects)
        self.assertEqual(container["image"], "registry.example.com/rotary@sha256:" +
                         "0123456789abcdef" * 4)
        self.assertEqual(pod["priorityClassName"], "high")
        self.assertEqual(pod["runtimeClassName"], "gvisor")
        self.assertEqual(pod["serviceAccountName"], "llm-gateway")
        self.assertEqual(pod["imagePullSecrets"], [{"name": "registry"}])
        self.assertEqual(pod["dnsConfig"], {"options": [{"name": "ndots", "value": "1"}]})
        labels = find(objects, "Deployment")["spec"]["template"]["metadata"]["labels"]
        self.assertLessEqual({"team": "platform", "tier": "edge"}.items(), labels.items())
        self.assertTrue(all(one["metadata"]["labels"]["team"] == "platform" for one in objects))
        spec = find(objects, "Service", "gateway")["spec"]
        self.assertEqual(spec["loadBalancerSourceRanges"], ["10.0.0.0/8"])
        self.assertEqual(spec["ports"], [{"name": "requests", "port": 443, "targetPort": "requests",
                                          "protocol": "TCP", "appProtocol": "https",
                                          "nodePort": 30443}])

    def test_only_what_waits_for_a_restart_begins_a_rollout(self):
        def template_of(*more):
            return find(render("default", *more), "Deployment")["spec"]["template"]
        base = template_of()
        for live in ("config.log.level=debug", "config.timeouts.head=5s",
                     "config.apis[0].path=/v1", "service.port=443"):
            self.assertEqual(base, template_of("--set", live), live)
        for restart in ("config.workers=3", "config.log.access_file=/dev/null",
                        "config.budgets.currency=EUR", "admin.port=9902",
                        "kubernetes.enabled=true"):
            self.assertNotEqual(base["metadata"]["annotations"],
                                template_of("--set", restart)["metadata"]["annotations"], restart)

    def test_names_of_what_is_shared(self):
        """Two releases share nothing by chance, and Redis's keys stay short."""
        self.assertEqual(config_of(render("redis"))["state"]["redis"]["namespace"], "gateways.llm")
        self.assertEqual(config_of(render("everything"))["state"]["redis"]["namespace"], "shop")
        long = config_of(render("redis", "--namespace", 62 * "n"))["state"]["redis"]["namespace"]
        self.assertRegex(long, "^[0-9a-f]{64}$")

    def test_other_namespaces_begin_a_rollout(self):
        def summed(*more):
            template = find(render("kubernetes", *more), "Deployment")["spec"]["template"]
            return template["metadata"]["annotations"]
        self.assertNotEqual(summed(), summed("--set", "kubernetes.namespaces={team-a}"))
        self.assertNotEqual(summed(), summed("--set", "kubernetes.labelSelector=a=b"))
        self.assertEqual(summed(), summed("--set", "kubernetes.secretNames={one}"))

    def test_settings_that_wait_for_a_restart(self):
        """As config/settings/setting_keys.cpp has them: one more there is one more in the chart."""
        with open(os.path.join(ROOT, "src/config/settings/setting_keys.cpp"),
                  encoding="utf-8") as source:
            keys = re.findall(r'\{"([\w.]+)", [^{}]*?at_restart\}', source.read())
        self.assertGreater(len(keys), 6)
        self.assertLessEqual(set(keys), {"workers", "listeners", "admin.address", "admin.port",
                                         "budgets.currency", "budgets.ledger", "log.access_file",
                                         "kubernetes"})

    def test_the_services_protocol(self):
        self.assertEqual(find(render("default"), "Service", "llm-rotary")["spec"]["ports"][0]
                         ["appProtocol"], "https")
        objects = render("plaintext")
        self.assertEqual(find(objects, "Service")["spec"]["ports"][0]["appProtocol"], "http")
        self.assertIs(config_of(objects)["listeners"][0]["plaintext"], True)

    def test_admin_is_never_published(self):
        for case in CASES:
            for service in (one for one in render(case) if one["kind"] == "Service"):
                targets = {port["targetPort"] for port in service["spec"]["ports"]}
                if "admin" in targets:
                    self.assertEqual(targets, {"admin"})
                    self.assertEqual(service["spec"]["type"], "ClusterIP")
                    self.assertEqual(service["spec"]["clusterIP"], "None")


class Values(unittest.TestCase):
    """values.yaml, its schema and its comments go together."""

    def setUp(self):
        with open(os.path.join(chart.CHART, "values.yaml"), encoding="utf-8") as file:
            self.text = file.read()
        with open(os.path.join(chart.CHART, "values.schema.json"), encoding="utf-8") as file:
            self.schema = json.load(file)

    def test_each_value_has_a_type_and_each_type_a_value(self):
        def compare(schema, values, at):
            self.assertIs(schema.get("additionalProperties"), False, at)
            self.assertEqual(set(schema["properties"]) - {"global"}, set(values), at)
            for name, value in values.items():
                inner = schema["properties"][name]
                if isinstance(value, dict) and value and "properties" in inner:
                    if name != "resources":
                        compare(inner, value, at + "." + name)
        compare(self.schema, yaml.safe_load(self.text), "values")

    def test_no_unknown_name_anywhere(self):
        def tables(values, path):
            yield path
            for name, value in values.items():
                if isinstance(value, dict) and value:
                    yield from tables(value, path + [name])
        free = {"labels", "annotations", "rollingUpdate", "requests", "limits", "grafana_dashboard"}
        for path in tables(yaml.safe_load(self.text), []):
            if path and path[-1] in free:
                continue
            values = {"unheardOf": 1}
            for name in reversed(path):
                values = {name: values}
            self.assertIn("'unheardOf' not allowed", chart.refused(values), path)

    def test_values_have_comments(self):
        for paragraph in self.text.split("\n\n"):
            if paragraph.split(":")[0] not in ("nameOverride", "image"):
                self.assertIn("#", paragraph)


if __name__ == "__main__":
    unittest.main()
