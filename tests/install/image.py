"""The image of Dockerfile: built by buildah on a Debian of this machine's making, run by runc as
compose.yaml says, as user 65532, on a root that can't be written to, without a capability, under
the unit's filter of system calls."""
import json
import os
import re
import shutil
import subprocess

import yaml

from ground import ROOT, ask, chat, own_network, run
from checks import check, eventually, fail, say
from package import unit

MOST_BYTES = 40_000_000
NAME = "rotary:test"


class Builder:
    """buildah with its storage below `folder`, and no namespaces: a chroot for each RUN."""

    def __init__(self, folder):
        self.storage = ["buildah", "--storage-driver", "vfs", "--root", f"{folder}/storage",
                        "--runroot", f"{folder}/run"]
        self.folder = folder

    def run(self, verb, *words):
        environment = {**os.environ, "BUILDAH_ISOLATION": "chroot", "TMPDIR": self.folder}
        return run([*self.storage, verb, *words], env=environment).strip()

    def take_base(self, tar):
        container = self.run("from", "scratch")
        self.run("add", "--quiet", container, tar, "/")
        self.run("commit", "--quiet", "--rm", container, "debian:12-slim")

    def build(self, binary):
        """As `docker build` does, but for the stage that compiles: that binary is there."""
        with open(os.path.join(ROOT, "Dockerfile")) as file:
            text = file.read()
        compiles = re.compile(r"^FROM debian:12-slim AS build\n.*?(?=^FROM )", re.M | re.S)
        text, found = compiles.subn("FROM scratch AS build\nCOPY rotary /rotary\n\n", text)
        check(found == 1, "Dockerfile has a stage that compiles")
        context = os.path.join(self.folder, "context")
        os.makedirs(context)
        run(["strip", "-o", f"{context}/rotary", binary])
        shutil.copy(os.path.join(ROOT, "LICENSE"), context)
        for folder in ("config/image", "deploy/image", "deploy/package"):
            shutil.copytree(os.path.join(ROOT, folder), os.path.join(context, folder))
        with open(f"{context}/Dockerfile", "w") as file:
            file.write(text)
        self.run("build", "--quiet", "--pull-never", "--format", "docker", "--tag", NAME,
                 "--build-arg", "REVISION=test", context)

    def says(self):
        return json.loads(self.run("inspect", "--type", "image", NAME))["Docker"]["config"]

    def root(self):
        return self.run("mount", self.run("from", NAME))


def look_at(says, root):
    check(says["User"] == "65532:65532", f"its user: {says['User']}")
    check(says["Entrypoint"] == ["/usr/bin/rotary"], says["Entrypoint"])
    check(says["StopSignal"] in ("SIGTERM", "15"), says["StopSignal"])
    check(says["Healthcheck"]["Test"] == ["CMD", "/usr/bin/rotary", "healthcheck"],
          f"its health check: {says['Healthcheck']}")
    for label in ("title", "description", "licenses", "version", "revision"):
        check(says["Labels"].get(f"org.opencontainers.image.{label}"), f"its label {label}")
    files = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                files[path[len(root):]] = os.lstat(path)
    size = sum(stat.st_size for stat in files.values())
    check(size < MOST_BYTES, f"it has {size / 1e6:.1f} MB")
    odd = [path for path, stat in files.items() if stat.st_mode & 0o6022]
    check(not odd, f"setuid, or to be written to by others: {odd}")
    programs = [path for path, stat in files.items()
                if stat.st_mode & 0o111 and ".so" not in path]
    licences = [path for path in files if path.startswith("/usr/share/doc/")]
    for of_one in ("rotary/LICENSE", "rotary/NOTICES", "libssl3/copyright", "libc6/copyright"):
        check(f"/usr/share/doc/{of_one}" in licences, f"licences: {licences}")
    check(programs == ["/usr/bin/rotary"], f"its programs: {programs}")
    say(f"image: {size / 1e6:.1f} MB in {len(files)} files, on nothing")


def filter_of_unit():
    """The unit's SystemCallFilter, RestrictAddressFamilies and MemoryDenyWriteExecute, for runc."""
    groups, name = {}, None
    for line in run(["systemd-analyze", "syscall-filter"]).splitlines():
        line = re.sub(r"\x1b\[[0-9;]*m", "", line)
        if line.startswith("@"):
            name = line.strip()
            groups[name] = []
        elif name and line.startswith(" ") and not line.strip().startswith("#"):
            groups[name].append(line.strip())

    def flat(word):
        if not word.startswith("@"):
            return {word}
        return set().union(*(flat(one) for one in groups[word]))

    with open(os.path.join(ROOT, "deploy", "systemd", "rotary.service")) as file:
        lines = re.findall(r"^SystemCallFilter=(~?)(.*)$", file.read(), re.M)
    allowed = set()
    for without, words in lines:
        these = set().union(*(flat(word) for word in words.split()))
        allowed = allowed - these if without else allowed | these
    check("execve" in allowed and "setrlimit" not in allowed, "the filter was read")
    # runc itself makes the process what it is before the filter, and these two after it.
    allowed -= {"socket", "mprotect"}
    families = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}
    rules = [{"names": sorted(allowed), "action": "SCMP_ACT_ALLOW"},
             {"names": ["mprotect"], "action": "SCMP_ACT_ALLOW", "args": [
                 {"index": 2, "value": 4, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]}]
    for family in unit()["RestrictAddressFamilies"].split():
        rules.append({"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [
            {"index": 0, "value": families[family], "op": "SCMP_CMP_EQ"}]})
    return {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": rules}


class Container:
    """A service of compose.yaml, run by runc in the network that this process is in."""

    def __init__(self, folder, name, image, service, environment):
        self.name, self.folder = f"rotary-{os.getpid()}-{name}", os.path.join(folder, name)
        os.makedirs(self.folder)
        run(["runc", "spec", "--bundle", self.folder])
        with open(f"{self.folder}/config.json") as file:
            spec = json.load(file)
        user, group = map(int, image["config"]["User"].split(":"))
        process = spec["process"]
        process.update(terminal=False, user={"uid": user, "gid": group}, noNewPrivileges=True,
                       args=image["config"]["Entrypoint"] + service["command"],
                       env=image["config"]["Env"] + [f"{k}={v}" for k, v in environment.items()])
        process["capabilities"] = {kind: [] for kind in process["capabilities"]}
        check(service["read_only"] and service["cap_drop"] == ["ALL"], "compose.yaml hardens it")
        spec["root"] = {"path": image["root"], "readonly": True}
        hosts = f"{self.folder}/hosts"
        with open(hosts, "w") as file:
            file.write("127.0.0.1 localhost mock gateway\n")
        volumes = [(hosts, "/etc/hosts")]
        for volume in service.get("volumes", []):
            source, target, _ = volume.split(":")
            volumes.append((os.path.join(ROOT, source), target))
        for source, target in volumes:
            spec["mounts"].append({"source": source, "destination": target, "type": "bind",
                                   "options": ["rbind", "ro"]})
        spec["linux"]["namespaces"] = [one for one in spec["linux"]["namespaces"]
                                       if one["type"] not in ("network", "cgroup")]
        spec["linux"]["seccomp"] = image["filter"]
        with open(f"{self.folder}/config.json", "w") as file:
            json.dump(spec, file)

    def start(self):
        self.log = open(f"{self.folder}/log", "w+")
        self.process = subprocess.Popen(
            ["runc", "run", "--bundle", self.folder, self.name], stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=subprocess.STDOUT)
        return self

    def said(self):
        with open(f"{self.folder}/log") as file:
            return file.read()

    def runs(self):
        check(self.process.poll() is None, f"{self.name} ended:\n{self.said()}")
        return True

    def execute(self, *words):
        done = subprocess.run(["runc", "exec", self.name, *words], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout

    def signal(self, number):
        run(["runc", "kill", self.name, number])

    def remove(self):
        subprocess.run(["runc", "delete", "--force", self.name], stderr=subprocess.DEVNULL)
        if self.process.poll() is None:
            self.process.kill()


def at_work(folder, image):
    own_network()
    with open(os.path.join(ROOT, "compose.yaml")) as file:
        services = yaml.safe_load(file)["services"]
    made = run([os.path.join(image["root"], "usr/bin/rotary"), "key", "new", "--consumer", "me"])
    key = re.search(r"^rk_\S+", made, re.M)[0]
    # What compose puts in where the variable is not set.
    environment = {name: re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", value)
                   for name, value in services["gateway"]["environment"].items()}
    bare = Container(folder, "bare", image, {**services["gateway"], "volumes": [],
                                             "command": image["config"]["Cmd"]}, {}).start()
    mock = Container(folder, "mock", image, services["mock"], {}).start()
    environment["ROTARY_CLIENT"] = re.search(r"sha256:[0-9a-f]{64}", made)[0]
    gateway = Container(folder, "gateway", image, services["gateway"], environment)
    try:
        code = bare.process.wait(60)
        check(code == 1 and "the variable OPENAI_API_KEY is not set" in bare.said(),
              f"without its variables it says what is missing: {code} {bare.said()}")
        eventually("the mock provider", lambda: mock.runs() and ask(8081, "/__mock/requests")[0])
        gateway.start()
        asked(gateway, image["config"]["Healthcheck"]["Test"][1:], key)
    finally:
        for container in (bare, mock, gateway):
            if hasattr(container, "process"):
                container.remove()


def asked(gateway, health, key):
    eventually("a health check that says healthy",
               lambda: gateway.runs() and gateway.execute(*health)[0] == 0)
    check(chat(key)[0] == 200, f"a request is served: {chat(key)}\n{gateway.said()}")
    check(chat("rk_wrong")[0] == 401, "another key is not")
    code, said = gateway.execute("/usr/bin/rotary", "init", "--dir", "/made")
    check(code != 0 and "Read-only file system" in said, f"its root can't be written to: {said}")
    pid = json.loads(run(["runc", "state", gateway.name]))["pid"]
    with open(f"/proc/{pid}/status") as file:
        status = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
    check(status["Uid"].split() == ["65532"] * 4, f"its user: {status['Uid']}")
    for kind in ("CapEff", "CapPrm", "CapBnd"):
        check(int(status[kind], 16) == 0, f"its capabilities: {kind} {status[kind]}")
    check(status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", "its filter of system calls")
    gateway.signal("TERM")
    code = gateway.process.wait(60)
    if code != 0:
        fail(f"SIGTERM ends it with {code}:\n{gateway.said()}")
