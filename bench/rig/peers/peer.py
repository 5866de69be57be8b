"""What the rig knows of a proxy: how it is had, started, and asked."""
import os
import shutil
import subprocess
from dataclasses import dataclass, field

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../.."))
LOAD = os.path.join(ROOT, "build/release/bench/bench_load")  # of this build
INSTALLED = os.path.join(ROOT, "build/bench-peers")


@dataclass
class Site:
    """Where a proxy is to stand, and for what."""
    folder: str      # its own, empty
    port: int        # it listens on 127.0.0.1
    admin_port: int
    provider: int    # the ports of the providers
    failing: int     # answers each request by 503
    certs: str       # a folder as certs/make-certs.sh makes it
    issuer: str
    workload: object

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    @property
    def certificate(self):
        return os.path.join(self.certs, "dev-server.crt")

    @property
    def key(self):
        return os.path.join(self.certs, "dev-server.key")

    @property
    def authority(self):
        return os.path.join(self.certs, "dev-ca.crt")


@dataclass
class Launch:
    """How it is started, and how it wants to be asked."""
    command: list
    environment: dict = field(default_factory=dict)
    path: str = "/chat/1.0/chat/completions"
    tls: bool = True
    headers: tuple = ()
    token: str = ""    # in place of the issuer's
    log: str = "off"   # its access log: to a "file", to a "pipe"


class Peer:
    name = ""
    settings = ""          # for the reader of the table
    passes_as_is = True    # an answer's bytes; others write it anew
    bears_scale = False    # tables of routes, entries or tokens mean something to it
    retries = False        # at another server, on a 503
    upstream_tls = False
    own_install = False    # below build/bench-peers; the others are packages of the system

    def missing(self):
        """Why it can't be started here; empty when it can."""
        return ""

    def version(self):
        return ""

    def install(self):
        """Makes it be there; raises when it can't be had."""

    def launch(self, site):
        raise NotImplementedError

    def unfit(self, workload):
        """Why it does not take part; empty when it does."""
        if workload.scale and not self.bears_scale:
            return "has no such table"
        if workload.failing and not self.retries:
            return "does not try again"
        if workload.upstream_tls and not self.upstream_tls:
            return "not set up for TLS to the provider"
        return ""


def missing_program(path, package):
    found = path if os.path.exists(path) else shutil.which(path, path=program_path())
    return "" if found else "not installed: './dev bench peers' installs %s" % package


def program_path():
    return os.environ.get("PATH", "") + ":/usr/sbin"


def program(name):
    return shutil.which(name, path=program_path()) or name


def first_line(command):
    """Of what a program says of its version, on either of its outputs."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0].strip() if lines else ""


def installed(name, *more):
    return os.path.join(INSTALLED, name, *more)


def install_from_pypi(name, package):
    """In an environment of its own below build/bench-peers."""
    home = installed(name)
    run(["/usr/bin/python3", "-m", "venv", home])
    run([os.path.join(home, "bin/python"), "-m", "pip", "install", "--quiet",
         "--disable-pip-version-check", "--no-input", package])


def pypi_version(name, package):
    said = subprocess.run([installed(name, "bin/python"), "-c",
                           "import importlib.metadata as m; print(m.version('%s'))" % package],
                          capture_output=True, text=True, check=False)
    return "%s %s" % (package, said.stdout.strip())


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise RuntimeError(lines[-1] if lines else "%s failed" % command[0])
