"""The rules and the dashboard of the chart are those of deploy/, and Prometheus takes them."""
import json
import os
import subprocess
import tempfile
import unittest

import yaml

from chart import ROOT, find, render


def deployed(name):
    with open(os.path.join(ROOT, "deploy", name), encoding="utf-8") as file:
        return file.read()


class Monitoring(unittest.TestCase):
    def setUp(self):
        self.objects = render("everything")

    def test_rules(self):
        spec = find(self.objects, "PrometheusRule")["spec"]
        self.assertEqual(spec, yaml.safe_load(deployed("prometheus/alerts.yaml")))
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(spec, file)
            file.flush()
            done = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True,
                                  text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_dashboard(self):
        config_map = find(self.objects, "ConfigMap", "gateway-dashboard")
        self.assertEqual(json.loads(config_map["data"]["rotary.json"]),
                         json.loads(deployed("grafana/rotary.json")))
        self.assertEqual(config_map["metadata"]["labels"]["grafana_dashboard"], "1")
        self.assertEqual(config_map["metadata"]["annotations"], {"grafana_folder": "LLM"})

    def test_scraping(self):
        monitor = find(self.objects, "ServiceMonitor")
        self.assertEqual(monitor["metadata"]["labels"]["release"], "prometheus")
        (endpoint,) = monitor["spec"]["endpoints"]
        self.assertEqual(endpoint["interval"], "30s")
        # The alerts expect the job to be called so.
        self.assertEqual(endpoint["relabelings"], [{"targetLabel": "job", "replacement": "rotary"}])
        selector = monitor["spec"]["selector"]["matchLabels"]
        chosen = [one for one in self.objects if one["kind"] == "Service" and
                  selector.items() <= one["metadata"]["labels"].items()]
        self.assertEqual([one["metadata"]["name"] for one in chosen], ["gateway-admin"])
        (port,) = chosen[0]["spec"]["ports"]
        self.assertEqual(port["name"], endpoint["port"])
        self.assertIs(chosen[0]["spec"]["publishNotReadyAddresses"], True)


if __name__ == "__main__":
    unittest.main()
