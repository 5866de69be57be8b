"""What all measurements of a run share."""
import os
import shutil
import subprocess
from dataclasses import dataclass, field

from rig.peers.peer import ROOT

ISSUER = "https://issuer.test/bench"


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@dataclass
class Settings:
    """What all workloads share."""
    rounds: int
    seconds: float
    load: str
    folder: str
    binary: str
    issuer: str = ISSUER
    certs: str = ""
    rsa_certs: str = ""
    token: str = ""
    token_files: dict = field(default_factory=dict)

    def __post_init__(self):
        self.certs = os.path.join(self.folder, "certs")
        run(ROOT + "/certs/make-certs.sh", "--quiet", "--dir", self.certs)
        self.rsa_certs = self._with_rsa()
        self.token = run(self.binary, "token", "--key", self.certs + "/dev-issuer.key", "--issuer",
                         ISSUER, "--subject", "bench", "--ttl", "12h").strip()

    def _with_rsa(self):
        """The same, but for the server's certificate."""
        certs = os.path.join(self.folder, "certs-rsa")
        shutil.copytree(self.certs, certs)
        server = certs + "/dev-server"
        run("openssl", "req", "-new", "-newkey", "rsa:2048", "-noenc", "-keyout", server + ".key",
            "-subj", "/CN=localhost", "-out", server + ".csr", "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1")
        run("openssl", "x509", "-req", "-in", server + ".csr", "-CA", certs + "/dev-ca.crt",
            "-CAkey", certs + "/dev-ca.key", "-CAcreateserial", "-copy_extensions", "copy",
            "-days", "30", "-out", server + ".crt")
        return certs

    def tokens(self, count):
        """A file with so many tokens of the issuer."""
        if count not in self.token_files:
            path = os.path.join(self.folder, "tokens-%d" % count)
            with open(path, "wb") as file:
                subprocess.run([self.load, "tokens", "--key", self.certs + "/dev-issuer.key",
                                "--like", self.token, "--count", str(count)], check=True,
                               stdout=file)
            self.token_files[count] = path
        return self.token_files[count]
