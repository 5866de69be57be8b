"""What the tests of an installation stand on: commands, a Debian of its own, a network of its own,
requests."""
import fcntl
import glob
import http.client
import json
import os
import re
import socket
import struct
import subprocess
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
from checks import PATIENCE, fail, say

PORT = 9095
ADMIN = 9901


def run(command, code=0, **more):
    """Runs it to its end; its output, both kinds. Another exit code is a failure."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **more)
    if done.returncode != code:
        fail(f"{' '.join(map(str, command))}: {done.returncode}, not {code}\n{done.stdout[-4000:]}")
    return done.stdout


def on_memory(folder):
    """Puts a file system of its own below `folder`, for who may; it goes with the process."""
    os.makedirs(folder, exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3g,mode=755", "rotary", folder],
                          stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        say(f"no file system in memory ({done.stderr.strip()}): on the disk, which is slower")


def own_network():
    """Loopback of this network namespace is up from then on."""
    with socket.socket() as any_socket:
        name = struct.pack("16sh", b"lo", 0x1 | 0x40)  # IFF_UP | IFF_RUNNING
        fcntl.ioctl(any_socket, 0x8914, name)  # SIOCSIFFLAGS


def debian_sources():
    """Files that say where apt of this machine gets Debian 12 from; others may be beside them."""
    found = []
    for path in ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*"))]:
        if path.endswith((".list", ".sources")) and os.path.isfile(path):
            with open(path) as file:
                text = re.sub(r"^\s*#.*$", "", file.read(), flags=re.M)
            if re.search(r"\bbookworm\b", text) and re.search(r"\bmain\b", text):
                found.append(path)
    return found


def make_base(tar):
    """A Debian 12 with apt and no more, as debian:12-slim, but from where this machine gets its
    packages."""
    proxies = re.findall(r'^(Acquire::.*[Pp]roxy.*;)$', run(["apt-config", "dump"]), re.M)
    options = ["--aptopt=Acquire::Languages \"none\"", *(f"--aptopt={line}" for line in proxies)]
    run(["mmdebstrap", "--mode=root", "--variant=apt", "--dpkgopt=force-unsafe-io",
         "--dpkgopt=path-exclude=/usr/share/locale/*", "--skip=cleanup/apt/lists", *options,
         "bookworm", tar, *debian_sources()])


class Inbox:
    """systemd's side of sd_notify(3)."""

    def __init__(self, name="\0rotary-install"):
        self.address = name.replace("\0", "@")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(name)
        self.socket.settimeout(PATIENCE)

    def wait_for(self, beginning):
        while True:
            try:
                notice = self.socket.recv(4096).decode()
            except TimeoutError:
                fail(f"the manager was never told {beginning}")
            if notice.startswith(beginning):
                return notice


def ask(port, path, body=None, key=None):
    """Status and text of an answer; 0: nobody was there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    try:
        connection.request("POST" if body else "GET", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


def chat(key):
    body = json.dumps({"model": "any", "messages": [{"role": "user", "content": "hi"}]})
    return ask(PORT, "/v1/chat/completions", body, key)


def again_in(namespaces, *arguments):
    """This script once more, with other arguments, in namespaces of its own."""
    command = ["unshare", *namespaces, sys.executable, "-B", os.path.realpath(sys.argv[0]),
               *arguments]
    done = subprocess.run(command)
    if done.returncode != 0:
        raise SystemExit(done.returncode)
