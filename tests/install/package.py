"""The .deb in a Debian of its own: installed, started as its unit says, asked, upgraded, removed,
purged."""
import configparser
import os
import re
import shutil
import subprocess

from ground import ADMIN, Inbox, ROOT, ask, chat, own_network, run
from checks import check, eventually, say

UNIT = os.path.join(ROOT, "deploy", "systemd", "rotary.service")


def unit():
    """What the unit's [Service] says; the last line of a key counts."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(UNIT)
    return parser["Service"]


def look_at_unit(debian):
    """systemd's own opinion, of the unit with what it needs beside it; the manual page is looked for
    on this machine, where it is not."""
    folder = debian.path("/etc/systemd/system")
    beside = [os.path.join(folder, name + ".target") for name in (
        "sysinit", "basic", "shutdown", "network-online", "nss-lookup", "multi-user")]
    for path in beside:
        with open(path, "w") as file:
            file.write("[Unit]\n")
    found = run(["systemd-analyze", "verify", "--man=no", "--root", debian.root, "rotary.service"])
    check(found.strip() == "", f"systemd-analyze verify: {found}")
    for path in beside:
        os.remove(path)
    found = run(["systemd-analyze", "security", "--offline=yes", "--threshold=15", UNIT])
    say(f"unit: {found.strip().splitlines()[-1].strip()}")


def look_at_packages(folder, version):
    deb = os.path.join(folder, f"rotary_{version}-1_amd64.deb")
    symbols = os.path.join(folder, f"rotary-dbgsym_{version}-1_amd64.deb")
    found = run(["lintian", "--tag-display-limit", "0", "--fail-on", "error,warning", deb, symbols])
    found = found.replace("running with root privileges is not recommended!", "").strip()
    check(not found, f"lintian:\n{found}")
    tarball = os.path.join(folder, f"rotary-{version}-linux-amd64.tar.gz")
    names = run(["tar", "tzf", tarball]).splitlines()
    top = f"rotary-{version}-linux-amd64"
    check(all(name.startswith(top + "/") for name in names), "the tarball has one folder")
    for name in ("bin/rotary", "share/man/man1/rotary.1.gz", "share/doc/rotary/LICENSE",
                 "share/doc/rotary/NOTICES",
                 "share/bash-completion/completions/rotary", "share/doc/rotary/README.md",
                 "share/doc/rotary/docs/first-steps.md", "share/doc/rotary/examples/rotary.yaml",
                 "share/doc/rotary/examples/service/rotary.service"):
        check(f"{top}/{name}" in names, f"the tarball is without {name}")
    unpacked = os.path.join(folder, "unpacked")
    os.mkdir(unpacked)
    run(["tar", "xzf", tarball, "-C", unpacked])
    binary = os.path.join(unpacked, top, "bin", "rotary")
    check(run([binary, "version"]).startswith(f"rotary {version}"), "the tarball's binary runs")
    sections = run(["readelf", "-SW", binary])
    check(".debug_info" not in sections and ".symtab" not in sections, "the binary is stripped")
    build_id = re.search(r"Build ID: (\w+)", run(["readelf", "-n", binary]))[1]
    check(f"/usr/lib/debug/.build-id/{build_id[:2]}/{build_id[2:]}.debug" in
          run(["dpkg-deb", "-c", symbols]), "the symbols are those of the binary")
    say(f"packages: .deb {os.path.getsize(deb) / 1e6:.1f} MB, tarball "
        f"{os.path.getsize(tarball) / 1e6:.1f} MB, symbols {os.path.getsize(symbols) / 1e6:.1f} MB")
    return deb


class Debian:
    """A root that commands run in."""

    def __init__(self, root, base=None):
        self.root = root
        if base:
            os.makedirs(root)
            run(["tar", "xf", base, "-C", root])
            shutil.copy("/etc/resolv.conf", self.path("/etc/resolv.conf"))
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                            "DEBIAN_FRONTEND": "noninteractive"}

    def path(self, inside):
        return self.root + inside

    def read(self, inside):
        with open(self.path(inside)) as file:
            return file.read()

    def write(self, inside, text):
        with open(self.path(inside), "w") as file:
            file.write(text)

    def command(self, *words):
        return ["chroot", self.root, *words]

    def run(self, *words, code=0):
        return run(self.command(*words), code=code, env=self.environment)

    def accounts(self):
        return [self.read(f"/etc/{name}") for name in ("passwd", "group", "shadow", "gshadow")]

    def named(self):
        """What has the package's name, wherever it lies."""
        found = run(["find", self.root, "-xdev", "-iname", "*rotary*", "-not", "-path",
                     self.root + "/srv/*"])
        return found.split()


def install(debian, deb):
    """In the machine's own network, for what it depends on."""
    shutil.copy(deb, debian.path("/srv/rotary.deb"))
    # What it depends on comes first, so that what is there beside it is known.
    needed = [re.sub(r" *\(.*", "", one).strip()
              for one in run(["dpkg-deb", "-f", deb, "Depends"]).split(",")]
    debian.run("apt-get", "install", "-y", "-q", "--no-install-recommends", *needed)
    before = debian.accounts()
    said = debian.run("dpkg", "-i", "/srv/rotary.deb")
    check("not started yet" in said, f"the administrator hears what comes next: {said}")
    return before


def at_first(debian):
    """What lies there, who owns it, and what `rotary check` misses."""
    owner = debian.run("stat", "-c", "%U:%G %a", "/etc/rotary/keys", "/etc/rotary/rotary.yaml",
                       "/var/lib/rotary")
    check(owner.split("\n")[:3] == ["root:rotary 750", "root:root 644", "rotary:rotary 750"], owner)
    found = debian.run("rotary", "check", "-c", "/etc/rotary/rotary.yaml", code=1)
    check("error: providers.openai.key_file: there is no file /etc/rotary/keys/openai" in found,
          f"check says which key is missing:\n{found}")
    check("every request is answered 401" in found, f"check says that no client may call:\n{found}")
    check(found.count(": error: ") == 1, f"nothing else is wrong:\n{found}")
    check("127.0.0.1" in debian.read("/etc/rotary/rotary.yaml"), "it listens on loopback")


def configure(debian, mock_port):
    """As its administrator does; the key that may call."""
    debian.run("sh", "-c", "umask 027; echo sk-provider >/etc/rotary/keys/openai; "
               "chgrp rotary /etc/rotary/keys/openai")
    made = subprocess.run(debian.command("rotary", "key", "new", "--consumer", "team-a"),
                          capture_output=True, text=True, check=True)
    key = made.stdout.strip()
    hashed = re.search(r"sha256:[0-9a-f]{64}", made.stdout + made.stderr)[0]
    text = debian.read("/etc/rotary/rotary.yaml")
    text = text.replace('    # keys: {team-a: "sha256:..."}', f'    keys: {{team-a: "{hashed}"}}')
    text = text.replace("https://api.openai.com/v1", f"http://127.0.0.1:{mock_port}/v1")
    debian.write("/etc/rotary/rotary.yaml", text)
    debian.run("rotary", "check", "-c", "/etc/rotary/rotary.yaml")
    return key


def serve(debian):
    """As systemd does by the unit: its command, its user, no capability, its notify socket."""
    says = unit()
    inbox = Inbox()
    user = ["setpriv", f"--reuid={says['User']}", f"--regid={says['Group']}", "--init-groups",
            "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    environment = {**debian.environment, "NOTIFY_SOCKET": inbox.address,
                   "WATCHDOG_USEC": str(int(float(says["WatchdogSec"]) * 1e6))}
    process = subprocess.Popen(debian.command(*user, *says["ExecStart"].split()), env=environment,
                               stdout=subprocess.DEVNULL,
                               stderr=open(debian.path("/srv/log"), "w"))
    return inbox, process


def at_work(debian):
    """In a network of its own, where the package's ports are free."""
    own_network()
    mock = subprocess.Popen(
        debian.command("rotary", "mock", "--listen", "127.0.0.1:8081", "--require-key",
                       "Bearer sk-provider"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually("the mock provider", lambda: ask(8081, "/__mock/requests")[0] == 200)
        key = configure(debian, 8081)
        inbox, process = serve(debian)
        try:
            asked(debian, inbox, process, key)
        finally:
            if process.poll() is None:
                process.kill()
    finally:
        mock.kill()


def asked(debian, inbox, process, key):
    check("Serving: 1 listener" in inbox.wait_for("READY=1"), "it says that it serves")
    check(chat(key)[0] == 200, f"a request is served: {chat(key)}")
    check(chat("rk_wrong")[0] == 401, "another key is not")
    check(ask(ADMIN, "/readyz")[0] == 200, "the admin listener is there")
    debian.run("rotary", "healthcheck")
    with open(f"/proc/{process.pid}/status") as file:
        status = file.read()
    check("CapEff:\t0000000000000000" in status and "CapBnd:\t0000000000000000" in status,
          "it has no capability")
    check(re.search(r"^Uid:\t0", status, re.M) is None, "it is not root")
    process.send_signal(1)  # SIGHUP, the unit's ExecReload
    inbox.wait_for("RELOADING=1\nMONOTONIC_USEC=")
    inbox.wait_for("READY=1")
    process.send_signal(15)
    inbox.wait_for("STOPPING=1")
    code = process.wait(60)
    check(code == 0, f"SIGTERM ends it with {code}:\n{debian.read('/srv/log')}")


def leave(debian, before):
    """An upgrade, a removal, a purge: what an administrator wrote stays until the last."""
    mine = debian.read("/etc/rotary/rotary.yaml")
    debian.run("dpkg", "-i", "/srv/rotary.deb")
    check(debian.read("/etc/rotary/rotary.yaml") == mine, "an upgrade leaves the configuration")
    check(debian.read("/etc/rotary/keys/openai") == "sk-provider\n", "an upgrade leaves the key")
    debian.run("dpkg", "--remove", "rotary")
    check(not os.path.exists(debian.path("/usr/bin/rotary")), "a removal takes the binary")
    check(debian.read("/etc/rotary/rotary.yaml") == mine, "a removal leaves the configuration")
    check(debian.read("/etc/rotary/keys/openai") == "sk-provider\n", "a removal leaves the key")
    debian.run("dpkg", "--purge", "rotary")
    left = debian.named()
    check(not left, f"a purge leaves {left}")
    for was, now in zip(before, debian.accounts()):
        check(was == now, f"a purge leaves an account:\n{now}")
    check("rotary" not in debian.run("dpkg-query", "-W", "-f", "${Package}\n").split(),
          "dpkg knows it no more")
