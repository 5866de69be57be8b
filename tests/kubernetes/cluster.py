"""A real API server with etcd behind it, on loopback: no kubelet, so nothing runs there; what is
applied is stored, judged by its definition, watched and patched as in any cluster."""
import base64
import copy
import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import urllib.parse

HERE = os.path.realpath(os.path.dirname(__file__))
ROOT = os.path.realpath(os.path.join(HERE, "..", ".."))
SKIPPED = 77  # ctest's closing lines name it then

sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
from checks import PATIENCE, check, eventually, fail, free_ports, say


def skip(why):
    print(f"kubernetes: not run: {why}")
    sys.exit(SKIPPED)


def programs():
    """The API server's binary and the Gateway API's definitions; ends the test where they, or what
    goes with them, are not here."""
    done = subprocess.run([os.path.join(HERE, "apiserver", "build.sh"), "--find"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode == SKIPPED:
        skip(done.stderr.strip())
    check(done.returncode == 0, done.stderr)
    for tool in ["etcd", "etcdctl", "openssl"]:
        check(shutil.which(tool), f"{tool} is not installed; './dev test' does it")
    return done.stdout.splitlines()


def kubectl_binary():
    """The one that ./dev test has put into build/helm; else the system's."""
    own = os.path.join(ROOT, "build", "helm", "kubectl")
    found = own if os.path.exists(own) else shutil.which("kubectl")
    check(found, "kubectl is not there; './dev test' puts it into build/helm")
    return found


class Answer:
    def __init__(self, status, body):
        self.status = status
        self.text = body.decode(errors="replace")

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def message(self):
        """What the server says is wrong."""
        try:
            return self.json.get("message", self.text)
        except ValueError:
            return self.text


class Cluster:
    ADMIN = "admin-token"

    def __init__(self, folder):
        self.folder = folder
        self.binary, self.gateway_api = programs()
        self.kubectl_path = kubectl_binary()
        self.running = {}
        self.port, self.etcd_port, self.peer_port = free_ports(3)
        self.tokens = {"admin": (self.ADMIN, "system:masters")}
        self.connection = None

    # --- what it is made of -----------------------------------------------------------------------

    def path(self, name):
        return os.path.join(self.folder, name)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, cwd=self.folder,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def make_certificates(self):
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        self.openssl("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2",
                     "-subj", "/CN=the tests' cluster")
        self.openssl("req", *new_key, "-keyout", "server.key", "-out", "server.csr",
                     "-subj", "/CN=kube-apiserver")
        with open(self.path("server.ext"), "w") as file:
            file.write("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        self.openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                     "-CAcreateserial", "-days", "2", "-extfile", "server.ext", "-out", "server.crt")
        self.openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
                     "-out", "accounts.key")

    def write_kubeconfig(self, user):
        """Of that user; its path."""
        name = self.path(f"{user}.kubeconfig")
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {
                "server": f"https://127.0.0.1:{self.port}",
                "certificate-authority": self.path("ca.crt")}}],
            "users": [{"name": user, "user": {"token": self.tokens[user][0]}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": user}}],
        }
        with open(name, "w") as file:
            json.dump(config, file)
        return name

    def run(self, name, *command):
        with open(self.path(name + ".log"), "ab") as out:
            self.running[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
                                                  stderr=out, cwd=self.folder)

    def start_etcd(self):
        client, peer = (f"http://127.0.0.1:{port}" for port in (self.etcd_port, self.peer_port))
        self.run("etcd", "etcd", "--data-dir", self.path("etcd"), "--unsafe-no-fsync",
                 "--listen-client-urls", client, "--advertise-client-urls", client,
                 "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                 "--initial-cluster", f"default={peer}", "--logger", "zap")

    def start_server(self):
        self.run("server", self.binary, f"--etcd-servers=http://127.0.0.1:{self.etcd_port}",
                 "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
                 "--endpoint-reconciler-type=none", f"--secure-port={self.port}",
                 f"--tls-cert-file={self.path('server.crt')}",
                 f"--tls-private-key-file={self.path('server.key')}",
                 f"--client-ca-file={self.path('ca.crt')}",
                 f"--token-auth-file={self.path('tokens.csv')}",
                 "--service-account-issuer=https://tests.invalid",
                 f"--service-account-key-file={self.path('accounts.key')}",
                 f"--service-account-signing-key-file={self.path('accounts.key')}",
                 "--api-audiences=https://tests.invalid", "--service-cluster-ip-range=10.99.0.0/24",
                 "--authorization-mode=RBAC", "--disable-admission-plugins=ServiceAccount")
        eventually("an API server that is ready", self.is_ready)

    def is_ready(self):
        check(self.running["server"].poll() is None, f"the API server has ended: {self.tail()}")
        try:
            return self.request("GET", "/readyz").status == 200
        except OSError:
            return False

    def tail(self):
        with open(self.path("server.log")) as file:
            return file.read()[-2000:]

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        self.make_certificates()
        with open(self.path("tokens.csv"), "w") as file:
            for place, (user, (token, groups)) in enumerate(self.tokens.items()):
                file.write(f'{token},{user},{place + 1},"{groups}"\n')
        self.kubeconfig = self.write_kubeconfig("admin")
        self.start_etcd()
        self.start_server()
        say("an API server is ready")

    def kill_server(self):
        self.kill("server")
        self.connection = None

    def kill(self, name):
        process = self.running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)

    def compact(self):
        """Forgets every version but the present one: watches from older ones are told to list."""
        answer = self.etcdctl("get", "nothing", "-w", "json")
        self.etcdctl("compact", str(json.loads(answer)["header"]["revision"]))

    def etcdctl(self, *arguments):
        done = subprocess.run(["etcdctl", f"--endpoints=http://127.0.0.1:{self.etcd_port}", *arguments],
                              env={**os.environ, "ETCDCTL_API": "3"}, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        check(done.returncode == 0, f"etcdctl {arguments}: {done.stderr}")
        return done.stdout

    def stop(self):
        for name in ["server", "etcd"]:
            if name in self.running:
                self.kill(name)

    # --- what is asked of it ------------------------------------------------------------------------

    def request(self, method, path, body=None, content_type="application/json", token=ADMIN):
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = content_type
            body = body if isinstance(body, (bytes, str)) else json.dumps(body)
            body = body.encode() if isinstance(body, str) else body
        for is_last in [False, True]:
            if self.connection is None:
                trust = ssl.create_default_context(cafile=self.path("ca.crt"))
                self.connection = http.client.HTTPSConnection("127.0.0.1", self.port,
                                                              timeout=PATIENCE, context=trust)
            try:
                self.connection.request(method, path, body, headers)
                answer = self.connection.getresponse()
                return Answer(answer.status, answer.read())
            except (OSError, http.client.HTTPException) as error:
                self.connection.close()
                self.connection = None
                if is_last:
                    raise OSError(str(error)) from error

    def another(self):
        """The same cluster by a connection of its own, for another thread."""
        other = copy.copy(self)
        other.connection = None
        return other

    def kubectl(self, *arguments, stdin=None, code=0, user="admin"):
        """Its output, both kinds. Another exit code is a failure; None: any."""
        done = subprocess.run(
            [self.kubectl_path, *arguments], input=stdin, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "KUBECONFIG": self.path(f"{user}.kubeconfig"),
                 "KUBECACHEDIR": self.path("kubectl-cache")})
        if code is not None and done.returncode != code:
            fail(f"kubectl {' '.join(arguments)}: {done.returncode}, not {code}\n{done.stdout[-4000:]}")
        return done.stdout

    def apply(self, text, *more):
        return self.kubectl("apply", "--server-side", "-f", "-", *more, stdin=text)

    def apply_definitions(self, text):
        """Of kinds, which are served when this returns."""
        self.apply(text)
        self.await_definitions()

    def await_definitions(self):
        self.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")

    def define_routes(self):
        with open(self.gateway_api) as file:
            self.apply_definitions(file.read())

    def make_namespace(self, name):
        answer = self.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        check(answer.status in (201, 409), f"the namespace {name}: {answer.text}")


def target(group_version, plural, namespace="default", name=None, more=None, **query):
    """The path of objects of a kind: v1, dp.wso2.com/v1alpha2."""
    root = f"/apis/{group_version}" if "/" in group_version else f"/api/{group_version}"
    path = f"{root}/namespaces/{namespace}/{plural}"
    for part in (name, more):
        if part is not None:
            path += "/" + part
    return path + ("?" + urllib.parse.urlencode(query) if query else "")


def secret(name, **values):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name},
            "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}}
