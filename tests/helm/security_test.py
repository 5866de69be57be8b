"""Pods pass the Pod Security Standard "restricted", rights are the least, the network's rules are
exactly those that are listed."""
import os
import re
import unittest

from chart import CASES, ROOT, config_of, find, has, load_all, pod_of, render

READ = ["get", "list", "watch"]
DNS = {(53, "UDP"), (53, "TCP")}
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim",
           "projected", "secret"}


def breaches(pod):
    """Of "restricted", v1.36: what a pod has that it may not, or has not that it must."""
    found = [field for field in ("hostNetwork", "hostPID", "hostIPC", "hostUsers") if pod.get(field)]
    found += [volume["name"] for volume in pod.get("volumes", [])
              if not (set(volume) - {"name"}) <= VOLUMES]
    context = pod.get("securityContext", {})
    if context.get("sysctls"):
        found.append("sysctls")
    for container in pod["containers"] + pod.get("initContainers", []):
        own = container.get("securityContext", {})
        both = context | own
        if own.get("allowPrivilegeEscalation") is not False:
            found.append("allowPrivilegeEscalation")
        if own.get("capabilities", {}).get("drop") != ["ALL"]:
            found.append("capabilities.drop")
        if set(own.get("capabilities", {}).get("add", [])) - {"NET_BIND_SERVICE"}:
            found.append("capabilities.add")
        if own.get("privileged") or own.get("procMount", "Default") != "Default":
            found.append("privileged")
        if both.get("runAsNonRoot") is not True or both.get("runAsUser") == 0:
            found.append("runAsNonRoot")
        if both.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
            found.append("seccompProfile")
        if any(port.get("hostPort") for port in container.get("ports", [])):
            found.append("hostPort")
    return found


class Pods(unittest.TestCase):
    def test_restricted(self):
        for case in CASES:
            with self.subTest(case):
                self.assertEqual(breaches(pod_of(render(case))), [])

    def test_more_than_restricted(self):
        for case in CASES:
            pod = pod_of(render(case))
            (container,) = pod["containers"]
            self.assertEqual(pod["securityContext"]["runAsUser"], 65532)
            self.assertIs(container["securityContext"]["readOnlyRootFilesystem"], True)
            self.assertIn("memory", container["resources"]["limits"])
            self.assertIs(pod["enableServiceLinks"], False)
            for volume in pod["volumes"]:
                source = volume.get("secret") or volume.get("configMap")
                mode = source.get("defaultMode", 0o644) if source else 0
                self.assertEqual(mode & 0o337, 0, volume)
            for mount in container["volumeMounts"]:
                self.assertNotIn("subPath", mount)  # would never be renewed

    def test_breaches_are_seen(self):
        self.assertEqual(breaches({"containers": [{}], "hostNetwork": True,
                                   "volumes": [{"name": "v", "hostPath": {}}]}),
                         ["hostNetwork", "v", "allowPrivilegeEscalation", "capabilities.drop",
                          "runAsNonRoot", "seccompProfile"])

    def test_no_secret_in_a_config_map(self):
        for case in CASES:
            for one in render(case):
                if one["kind"] == "ConfigMap":
                    self.assertNotRegex(str(one["data"]), r"sk-|password:|Bearer [A-Za-z0-9]{8}")

    def test_the_token_can_not_be_guessed(self):
        tokens = set()
        for operator in (True, False):
            data = find(render("default", operator=operator), "Secret")["data"]
            self.assertEqual(list(data), ["token"])
            tokens.add(data["token"])
        self.assertEqual(len(tokens), 2)
        self.assertFalse(has(render("served"), "Secret"))


class Rights(unittest.TestCase):
    def rules(self, case):
        found = []
        for one in render(case):
            if one["kind"] in ("Role", "ClusterRole"):
                found.append({(group, resource): (sorted(rule["verbs"]), rule.get("resourceNames"))
                              for rule in one["rules"] for group in rule["apiGroups"]
                              for resource in rule["resources"]})
            if case != "cluster":
                self.assertNotIn(one["kind"], ("ClusterRole", "ClusterRoleBinding"))
        return found

    def test_none_without_the_source(self):
        for case in CASES:
            if "kubernetes" not in config_of(render(case)):
                self.assertEqual(self.rules(case), [])

    def served(self):
        """(group, plural) of each kind that the configuration reads."""
        with open(os.path.join(ROOT, "src/config/kinds/kinds.cpp"), encoding="utf-8") as source:
            text = source.read()
        groups = dict(re.findall(r'constexpr const char\* (k\w+) = "([\w.]+)";', text)) | {'""': ""}
        rows = re.findall(r'\{"(\w+)",\s*(k\w+|""),\s*\{', text)
        self.assertGreater(len(rows), 15)
        return {(groups[group], re.sub("([^aeiou])y$", r"\1ie", kind.lower()) + "s") for kind, group in rows}

    def test_reading_is_for_the_served_kinds(self):
        (narrow,) = self.rules("narrow")
        self.assertEqual(set(narrow), self.served())
        for (_, resource), (verbs, names) in narrow.items():
            self.assertEqual(verbs, READ)
            self.assertEqual(names, ["openai", "mistral"] if resource == "secrets" else None)

    def test_kinds_have_the_plurals_of_their_definitions(self):
        (narrow,) = self.rules("narrow")
        folder = os.path.join(ROOT, "deploy/crds")
        for name in (name for name in os.listdir(folder) if name.endswith(".yaml")):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                for one in load_all(file.read()):
                    spec = one["spec"]
                    self.assertIn((spec["group"], spec["names"]["plural"]), narrow)

    def test_writing_is_for_status_and_events(self):
        (narrow,), both = self.rules("narrow"), self.rules("kubernetes")
        self.assertEqual(len(both), 2)
        for wide in both:
            more = {what: verbs for what, (verbs, _) in wide.items() if what not in narrow}
            self.assertEqual(more, {
                ("dp.wso2.com", "apis/status"): ["patch"],
                ("gateway.networking.k8s.io", "httproutes/status"): ["patch"],
                ("events.k8s.io", "events"): ["create", "patch"]})
            self.assertEqual(wide["", "secrets"], (READ, None))

    def test_they_are_bound_to_the_pods_account(self):
        for case in ("kubernetes", "narrow", "everything", "cluster"):
            objects = render(case)
            bindings = [one for one in objects if one["kind"].endswith("RoleBinding")]
            self.assertEqual(len(bindings), 2 if case == "kubernetes" else 1)
            for one in bindings:
                with self.subTest(case):
                    self.assertEqual(one["subjects"], [{
                        "kind": "ServiceAccount", "namespace": "gateways",
                        "name": pod_of(objects)["serviceAccountName"]}])
                    self.assertEqual(one["roleRef"]["name"], one["metadata"]["name"])
                    self.assertEqual(one["roleRef"]["kind"] + "Binding", one["kind"])

    def test_all_namespaces(self):
        objects = render("cluster")
        self.assertEqual(config_of(objects)["kubernetes"]["namespaces"], ["*"])
        role = find(objects, "ClusterRole")
        self.assertEqual(role["metadata"]["name"], "gateways-llm-rotary")
        self.assertEqual(role["rules"], find(render("everything"), "Role")["rules"])

    def test_namespaces_are_those_that_are_read(self):
        for case, expected in (("kubernetes", ["team-a", "team-b"]), ("narrow", ["gateways"])):
            objects = render(case)
            self.assertEqual(config_of(objects)["kubernetes"]["namespaces"], expected)
            self.assertEqual([one["metadata"]["namespace"] for one in objects
                              if one["kind"] == "Role"], expected)


class Network(unittest.TestCase):
    def rules(self, case, direction):
        spec = find(render(case), "NetworkPolicy")["spec"]
        self.assertEqual(spec["policyTypes"], ["Ingress", "Egress"])
        peers = {"ingress": "from", "egress": "to"}[direction]
        return [({(one["port"], one["protocol"]) for one in rule.get("ports", [])},
                 rule.get(peers)) for rule in spec[direction]]

    def test_in(self):
        prometheus = [{"namespaceSelector": {
            "matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
        for case in CASES:
            if case not in ("plaintext", "everything"):
                self.assertEqual(self.rules(case, "ingress"), [
                    ({("requests", "TCP")}, None), ({("admin", "TCP")}, prometheus)])
        self.assertEqual(self.rules("everything", "ingress"), [
            ({("requests", "TCP")}, [{"namespaceSelector": {"matchLabels": {"llm": "yes"}}}]),
            ({("admin", "TCP")}, [{"podSelector": {"matchLabels": {"app": "prometheus"}}}]),
            (set(), [{"podSelector": {"matchLabels": {"app": "debug"}}}])])

    def test_out(self):
        providers = ({(443, "TCP")}, None)
        more = {"redis": [({(6379, "TCP")}, None)],
                "kubernetes": [({(443, "TCP"), (6443, "TCP")}, None)],
                "narrow": [({(443, "TCP"), (6443, "TCP")}, None)],
                "cluster": [({(443, "TCP"), (6443, "TCP")}, None)]}
        for case in CASES:
            if case not in ("plaintext", "everything"):
                self.assertEqual(self.rules(case, "egress"),
                                 [(DNS, None), providers] + more.get(case, []), case)
        self.assertEqual(self.rules("everything", "egress"), [
            (DNS, [{"namespaceSelector": {"matchLabels": {
                "kubernetes.io/metadata.name": "kube-system"}}}]),
            ({(443, "TCP"), (8000, "TCP")},
             [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}]),
            ({(6380, "TCP"), (26379, "TCP")}, [{"podSelector": {"matchLabels": {"app": "redis"}}}]),
            ({(6443, "TCP")}, [{"ipBlock": {"cidr": "10.96.0.1/32"}}]),
            ({(4318, "TCP")}, None)])

    def test_off(self):
        self.assertFalse(has(render("plaintext"), "NetworkPolicy"))


if __name__ == "__main__":
    unittest.main()
