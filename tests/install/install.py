#!/usr/bin/env python3
"""The packages and the image, made, installed and run for real. No file of this machine changes:
all of it lies below the build's folder, in a mount namespace of its own, and the ports of the
packages are in a network of its own.

usage: install.py BUILD_FOLDER
"""
import json
import os
import re
import shutil
import subprocess
import sys
import threading

import image
import package
from ground import ROOT, again_in, make_base, on_memory, run
from checks import check, say

SKIPPED = 77  # ctest's closing lines name it then
TOOLS = {"mmdebstrap": "mmdebstrap", "buildah": "buildah", "runc": "runc", "lintian": "lintian",
         "systemd-analyze": "systemd", "dpkg-shlibdeps": "dpkg-dev", "unshare": "util-linux"}


def look_for_tools():
    if os.geteuid() != 0:  # a chroot and mounts are root's
        os.execvp("sudo", ["sudo", sys.executable, "-B", *map(os.path.realpath, sys.argv)])
    missing = [package for tool, package in TOOLS.items()
               if shutil.which(tool) is None]
    check(not missing, f"not installed: {missing}; './dev test' does it")


def look_for_namespaces():
    """A container that may make none of its own can't show any of this."""
    command = ["unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "true"]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        print(f"install: not run: this machine gives no namespaces ({done.stderr.strip()})")
        sys.exit(SKIPPED)


def make_packages(build, work):
    """What `./dev package` does, of the binary that is there."""
    folder = os.path.join(work, "packages")
    run(["cpack", "--config", os.path.join(build, "CPackConfig.cmake"), "-B", folder])
    deb = [name for name in os.listdir(folder) if name.endswith(".deb")]
    check(len(deb) == 1, f"one .deb: {deb}")
    run([os.path.join(ROOT, "deploy", "debian", "debug_symbols.sh"),
         os.path.join(build, "rotary"), os.path.join(folder, deb[0])])
    return folder


def version_of(build):
    with open(os.path.join(build, "CPackConfig.cmake")) as file:
        return re.search(r'CPACK_PACKAGE_VERSION "([^"]+)"', file.read())[1]


def whole(build):
    work = os.path.join(build, "install")
    on_memory(work)
    try:
        everything(build, work)
    finally:
        for name in os.listdir(work):
            shutil.rmtree(os.path.join(work, name), ignore_errors=True)


def everything(build, work):
    os.environ["TMPDIR"] = work
    base = os.path.join(work, "base.tar")
    maker = threading.Thread(target=make_base, args=(base,))
    maker.start()
    packages = make_packages(build, work)
    say("packages made")
    deb = package.look_at_packages(packages, version_of(build))
    maker.join()
    check(os.path.exists(base), "there is no Debian to install into")
    say("a Debian of our own")

    debian = package.Debian(os.path.join(work, "debian"), base)
    before = package.install(debian, deb)
    package.look_at_unit(debian)
    package.at_first(debian)
    say("the .deb is installed")
    again_in(["--net"], "--package", debian.root)
    say("it was started as its unit says, asked, stopped")
    package.leave(debian, before)
    say("upgraded, removed, purged")

    builder = image.Builder(os.path.join(work, "image"))
    builder.take_base(base)
    builder.build(os.path.join(build, "rotary"))
    says, root = builder.says(), builder.root()
    image.look_at(says, root)
    described = os.path.join(work, "image.json")
    with open(described, "w") as file:
        json.dump({"config": says, "root": root, "filter": image.filter_of_unit()}, file)
    again_in(["--net"], "--image", described)
    say("it ran under runc as 65532: healthy, asked, stopped")


def main():
    arguments = sys.argv[1:]
    if arguments[0] == "--package":
        package.at_work(package.Debian(arguments[1]))
    elif arguments[0] == "--image":
        with open(arguments[1]) as file:
            described = json.load(file)
        image.at_work(os.path.join(os.path.dirname(arguments[1]), "containers"), described)
    elif arguments[0] == "--whole":
        whole(arguments[1])
    else:
        os.environ["PATH"] += ":/usr/sbin:/sbin"
        look_for_tools()
        look_for_namespaces()
        again_in(["--mount", "--propagation", "private"], "--whole", os.path.realpath(arguments[0]))


main()
