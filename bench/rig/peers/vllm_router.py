"""vllm-router, which balances model servers; it speaks no TLS in this set-up."""
from rig.peers import peer
from rig.peers.peer import Launch, Peer

HOME = "vllm-router"


class VllmRouter(Peer):
    own_install = True
    name = "vllm-router"
    settings = "plain HTTP, round_robin, --max-concurrent-requests 1000, log level error"

    def missing(self):
        return peer.missing_program(peer.installed(HOME, "bin/vllm-router"), "vllm-router")

    def version(self):
        return peer.pypi_version(HOME, "vllm-router")

    def install(self):
        peer.install_from_pypi(HOME, "vllm-router")

    def launch(self, site):
        return Launch(
            [peer.installed(HOME, "bin/vllm-router"), "--host", "127.0.0.1", "--port", site.port,
             "--worker-urls", "http://127.0.0.1:%d" % site.provider, "--policy", "round_robin",
             "--log-level", "error", "--max-concurrent-requests", 1000,
             "--prometheus-host", "127.0.0.1", "--prometheus-port", site.admin_port],
            path="/v1/chat/completions", tls=False)
