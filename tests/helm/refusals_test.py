"""Values that would be a mistake are refused, each with a sentence that says what to do."""
import unittest

from chart import refused

LEDGER = {"budgets": {"ledger": "/var/lib/rotary/ledger.db"}}
ROWS = {
    # by templates
    "a grace period as long as the drain":
        ({"terminationGracePeriodSeconds": 35},
         "terminationGracePeriodSeconds: 35 must be more than preStopSeconds (5) and "
         "config.timeouts.drain (30000 ms) together"),
    "a drain of which the chart can't tell":
        ({"config": {"timeouts": {"drain": "${DRAIN}"}}},
         "config.timeouts.drain: ${DRAIN} is no duration of which the chart can tell how long it is: "
         "say terminationGracePeriodSeconds"),
    "a drain that is none":
        ({"config": {"timeouts": {"drain": "soon"}}}, "config.timeouts.drain: soon is no duration"),
    "listeners of one's own":
        ({"config": {"listeners": []}},
         "config.listeners: the chart writes it, by the values of address, service and tls"),
    "an admin listener of one's own":
        ({"config": {"admin": {"port": 1}}}, "config.admin: the chart writes it"),
    "resources as a path":
        ({"config": {"resources": ["apis/"]}}, "by the values of resourceFiles"),
    "the source as rotary.yaml has it":
        ({"config": {"kubernetes": {}}}, "config.kubernetes: the chart writes it"),
    "shared state as rotary.yaml has it":
        ({"config": {"state": {}}}, "config.state: the chart writes it, by the values of redis"),
    "two sources of resources":
        ({"kubernetes": {"enabled": True}, "resourceFiles": {"a.yaml": "kind: API"}},
         "resourceFiles: with kubernetes.enabled the resources come from the API server"),
    "the short form beside the API server":
        ({"kubernetes": {"enabled": True}, "config": {"apis": []}},
         "config.apis: with kubernetes.enabled the resources come from the API server"),
    "all namespaces and one":
        ({"kubernetes": {"enabled": True, "namespaces": ["*", "a"]}},
         'kubernetes.namespaces: "*" is all of them: name it alone'),
    "TLS without a certificate":
        ({"tls": {"secretName": ""}},
         "tls.secretName: it must name a Secret of type kubernetes.io/tls"),
    "Redis without an address":
        ({"redis": {"enabled": True}}, "redis.url: required with redis.enabled"),
    "a password of no Secret":
        ({"redis": {"enabled": True, "url": "redis://r:6379", "passwordKey": "p"}},
         "redis.existingSecret: redis.passwordKey and redis.caKey are entries of a Secret"),
    "a Secret without an entry":
        ({"redis": {"enabled": True, "url": "redis://r:6379", "existingSecret": "s"}},
         "redis.passwordKey: which entry of redis.existingSecret is the password?"),
    "a user without a password":
        ({"redis": {"enabled": True, "url": "redis://me@r:6379"}},
         "redis.passwordKey: redis.url has a user, whose password"),
    "sentinels without the master's name":
        ({"redis": {"enabled": True, "url": "redis://r:6379", "sentinels": ["s:26379"]}},
         "redis.masterName: sentinels are asked for a master by its name"),
    "an autoscaler with nothing to go by":
        ({"autoscaling": {"enabled": True, "requestsInFlight": 0}}, "there is nothing to go by"),
    "an autoscaler with no room":
        ({"autoscaling": {"enabled": True, "minReplicas": 11}},
         "autoscaling.minReplicas: 11 is more than maxReplicas, 10"),
    "a part of a CPU that is not said":
        ({"autoscaling": {"enabled": True, "cpuPercent": 70}, "resources": {"requests": None}},
         "autoscaling.cpuPercent: it is a part of resources.requests.cpu, which is not said"),
    "a ledger on the read-only root":
        ({"config": LEDGER}, "config.budgets.ledger: /var/lib/rotary/ledger.db is on the image's root"),
    "a ledger on a volume that is read-only":
        ({"config": LEDGER, "extraVolumeMounts": [
            {"name": "a", "mountPath": "/var/lib/rotary", "readOnly": True}]},
         "mount a volume there by extraVolumes and extraVolumeMounts"),
    "a ledger beside its volume":
        ({"config": LEDGER, "extraVolumeMounts": [{"name": "a", "mountPath": "/var/lib/rot"}]},
         "mount a volume there"),
    "an account that is not named":
        ({"serviceAccount": {"create": False}},
         "serviceAccount.name is required where serviceAccount.create is false"),
    # by the schema
    "a password in the address of Redis":
        ({"redis": {"enabled": True, "url": "redis://user:secret@r:6379"}}, "at '/redis/url'"),
    "a port beyond the last": ({"service": {"port": 65536}}, "at '/service/port'"),
    "the requests' port for admin": ({"admin": {"port": 9095}}, "at '/admin/port'"),
    "replicas as a text": ({"replicaCount": "2"}, "at '/replicaCount': got string, want integer"),
    "a file that is no YAML": ({"resourceFiles": {"a.txt": ""}}, "'a.txt' does not match pattern"),
    "objects without a kind": ({"resourceFiles": {"a.yaml": [{}]}}, "missing properties"),
    "a tag with a digest in it": ({"image": {"tag": "1@sha256:00"}}, "at '/image/tag'"),
    "a digest that is none": ({"image": {"digest": "sha256:00"}}, "at '/image/digest'"),
    "a word for a spread": ({"podAntiAffinity": "always"}, "at '/podAntiAffinity'"),
    "off, unquoted, which is false": ({"podAntiAffinity": False}, "at '/podAntiAffinity'"),
    "a deadline of nothing": ({"redis": {"deadlineMs": 0}}, "at '/redis/deadlineMs'"),
    "one too long": ({"redis": {"deadlineMs": 1001}}, "at '/redis/deadlineMs'"),
    "a namespace twice": ({"kubernetes": {"namespaces": ["a", "a"]}}, "are equal"),
    "a disruption of none": ({"podDisruptionBudget": {"maxUnavailable": 0}},
                             "at '/podDisruptionBudget/maxUnavailable'"),
    "a peer that is none": ({"networkPolicy": {"clients": [{"cidr": "10.0.0.0/8"}]}},
                            "at '/networkPolicy/clients/0'"),
    "an API server without a port": ({"networkPolicy": {"apiServerPorts": []}},
                                     "at '/networkPolicy/apiServerPorts'"),
}
EDGES = {
    "a second more than sleep and drain": {"terminationGracePeriodSeconds": 36},
    "a drain that is not known, with a grace period":
        {"config": {"timeouts": {"drain": "${DRAIN}"}}, "terminationGracePeriodSeconds": 60},
    "a drain in milliseconds": {"config": {"timeouts": {"drain": "1500ms"}}},
    "a drain of days": {"config": {"timeouts": {"drain": "168h"}}},
    "the last port": {"service": {"port": 65535}},
    "Redis by an address of IPv6": {"redis": {"enabled": True, "url": "rediss://[fd00::1]/0"}},
    "the longest deadline": {"redis": {"deadlineMs": 1000}},
    "a ledger on its volume": {"config": LEDGER, "extraVolumeMounts": [
        {"name": "a", "mountPath": "/var/lib/rotary/"}]},
    "global, of a chart above": {"global": {"anything": 1}},
}


class Refusals(unittest.TestCase):
    def test_refused(self):
        for name, (values, sentence) in ROWS.items():
            with self.subTest(name):
                self.assertIn(sentence, refused(values))

    def test_taken(self):
        for name, values in EDGES.items():
            with self.subTest(name):
                self.assertEqual(refused(values), "")


if __name__ == "__main__":
    unittest.main()
