"""One of the tests of the chart, or 77 where it can't be had. usage: run.py NAME"""
import os
import shutil
import sys
import unittest

import chart

NEEDS = {"monitoring": ["promtool"]}


def missing(name):
    for tool in (chart.HELM, chart.KUBECTL):
        if not os.access(tool, os.X_OK):
            return "%s is not there; './dev test' puts it there" % os.path.relpath(tool, chart.ROOT)
    if name == "server" and not os.path.exists(os.path.join(chart.ROOT, "tests/kubernetes/cluster.py")):
        return "tests/kubernetes is not there"
    for tool in NEEDS.get(name, []):
        if not shutil.which(tool):
            return "%s is not installed; './dev test' does it" % tool
    return None


def main():
    name = sys.argv[1]
    why = missing(name)
    if why:
        print("skipped: " + why)
        sys.exit(77)
    tests = unittest.defaultTestLoader.loadTestsFromName(name + "_test")
    sys.exit(not unittest.TextTestRunner(verbosity=1).run(tests).wasSuccessful())


if __name__ == "__main__":
    main()
