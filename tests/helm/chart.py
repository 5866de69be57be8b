"""The chart, rendered by helm; the objects by what they mean, not by their text."""
import functools
import os
import subprocess
import tempfile

import yaml

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.realpath(os.path.join(HERE, "..", ".."))
CHART = os.path.join(ROOT, "deploy/helm/rotary")
TOOLS = os.environ.get("ROTARY_HELM", os.path.join(ROOT, "build/helm"))
HELM = os.path.join(TOOLS, "helm")
KUBECTL = os.path.join(TOOLS, "kubectl")
ROTARY = os.environ.get("ROTARY_BIN", os.path.join(ROOT, "build/release/rotary"))
RELEASE = "llm"
NAMESPACE = "gateways"
OPERATOR = ("monitoring.coreos.com/v1/ServiceMonitor", "monitoring.coreos.com/v1/PrometheusRule")
CASES = sorted(name[:-len(".yaml")] for name in os.listdir(os.path.join(HERE, "values")))


class Strict(yaml.SafeLoader):
    """No key twice: the API server would take the last one in silence."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len(keys) != len(set(keys)):
            raise yaml.constructor.ConstructorError(None, None, "a key twice", node.start_mark)
        return super().construct_mapping(node, deep)


def load_all(text):
    return [one for one in yaml.load_all(text, Strict) if one]


def run(*command):
    """(status, output, what it said on standard error but of links)"""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    errors = [line for line in done.stderr.splitlines() if "found symbolic link" not in line]
    return done.returncode, done.stdout, "\n".join(errors)


def values_file(case):
    return os.path.join(HERE, "values", case + ".yaml")


def template(*arguments):
    return run(HELM, "template", RELEASE, CHART, "--namespace", NAMESPACE, *arguments)


@functools.cache
def render(case, *arguments, operator=True):
    """The objects; nobody changes them."""
    more = [word for kind in OPERATOR for word in ("--api-versions", kind)] if operator else []
    status, text, errors = template("--values", values_file(case), *more, *arguments)
    if status != 0 or errors:
        raise AssertionError("%s: %d: %s" % (case, status, errors))
    return load_all(text)


def refused(values):
    """What helm says to values that it must not take."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values, file)
        file.flush()
        status, _, errors = template("--values", file.name)
    return errors if status != 0 else ""


def name_of(one):
    return one["kind"], one["metadata"]["name"], one["metadata"].get("namespace", NAMESPACE)


def find(objects, kind, name=None):
    found = [one for one in objects if one["kind"] == kind and
             name in (None, one["metadata"]["name"])]
    if len(found) != 1:
        raise AssertionError("%d of %s %s" % (len(found), kind, name))
    return found[0]


def has(objects, kind):
    return any(one["kind"] == kind for one in objects)


def pod_of(objects):
    return find(objects, "Deployment")["spec"]["template"]["spec"]


def container_of(objects):
    (only,) = pod_of(objects)["containers"]
    return only


def config_of(objects):
    config_map = pod_of(objects)["volumes"][0]["configMap"]["name"]
    return load_all(find(objects, "ConfigMap", config_map)["data"]["rotary.yaml"])[0]
