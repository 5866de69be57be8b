"""The proxies that are measured beside Rotary, by the names that --peers takes."""
from rig.peers.bifrost import Bifrost
from rig.peers.envoy import Envoy
from rig.peers.haproxy import HaProxy
from rig.peers.litellm import LiteLlm
from rig.peers.nginx import Nginx
from rig.peers.portkey import Portkey
from rig.peers.relay import Relay
from rig.peers.rotary import Rotary
from rig.peers.vllm_router import VllmRouter


def all_peers(binary, beside=None):
    peers = {
        "relay": Relay(),
        "nginx": Nginx(),
        "nginx-buffering": Nginx(buffered=True),
        "haproxy": HaProxy(),
        "rotary": Rotary(binary),
        "rotary-off": Rotary(binary, log="off"),
        "rotary-pipe": Rotary(binary, log="pipe"),
        "envoy": Envoy(),
        "envoy-jwt": Envoy(checks_tokens=True),
        "vllm-router": VllmRouter(),
        "portkey": Portkey(),
        "litellm": LiteLlm(),
        "bifrost": Bifrost(),
    }
    if beside:
        peers["beside"] = Rotary(beside, name="Rotary, the other build")
    return peers
