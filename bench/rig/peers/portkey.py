"""Portkey's gateway, on Node; it speaks no TLS in this set-up."""
import json

from rig.peers import peer
from rig.peers.peer import Launch, Peer

SERVER = "portkey/node_modules/@portkey-ai/gateway/build/start-server.js"


class Portkey(Peer):
    own_install = True
    name = "Portkey"
    settings = "plain HTTP, --headless, the provider named by x-portkey-custom-host"
    passes_as_is = False

    def missing(self):
        return (peer.missing_program(peer.program("node"), "nodejs") or
                peer.missing_program(peer.installed(SERVER), "Portkey"))

    def version(self):
        path = peer.installed("portkey/node_modules/@portkey-ai/gateway/package.json")
        with open(path, encoding="utf-8") as file:
            return "@portkey-ai/gateway " + json.load(file)["version"]

    def install(self):
        peer.run(["npm", "--prefix", peer.installed("portkey"), "install", "--no-audit",
                  "--no-fund", "--no-package-lock", "--ignore-scripts", "@portkey-ai/gateway"])

    def launch(self, site):
        return Launch(
            [peer.program("node"), peer.installed(SERVER), "--port=%d" % site.port, "--headless"],
            environment={"NODE_ENV": "production"}, path="/v1/chat/completions", tls=False,
            headers=("x-portkey-provider: openai",
                     "x-portkey-custom-host: http://127.0.0.1:%d/v1" % site.provider))
