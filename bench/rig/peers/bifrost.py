"""Bifrost: named, though Go's module proxy has no version of it to build."""
import os

from rig.peers import peer
from rig.peers.peer import Peer

MODULE = "github.com/maximhq/bifrost/transports/bifrost-http@latest"


class Bifrost(Peer):
    own_install = True
    name = "Bifrost"
    settings = "not measured yet: no version could be had"

    def missing(self):
        return "Go's module proxy refuses " + MODULE.split("@", maxsplit=1)[0]

    def install(self):
        os.environ["GOBIN"] = peer.installed("bifrost")
        peer.run(["go", "install", MODULE])
        raise RuntimeError("it is here for once: write how it is started in bench/rig/peers")
