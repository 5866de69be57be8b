"""Bytes moved between a client's TLS and a provider, not one of them looked at: a chat's floor."""
from rig.peers.peer import LOAD, Launch, Peer


class Relay(Peer):
    name = "bytes alone"
    settings = ("no proxy: TLS ended by OpenSSL, a connection to the provider for each of the "
                "client's, nothing read")

    def launch(self, site):
        return Launch([LOAD, "relay", "--port", str(site.port), "--provider",
                       str(site.provider), "--certificate", site.certificate, "--key", site.key])

    def unfit(self, workload):
        if workload.workers > 1:
            return "has one thread"
        return super().unfit(workload)
