"""LiteLLM's proxy, on Python: three models under one name, behind one key."""
import json
import os

from rig.peers import peer
from rig.peers.peer import Launch, Peer

HOME = "litellm"
KEY = "sk-of-the-benchmark-0"  # its well-known ones are refused
QUIET = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "NO_DOCS": "True",
         "DISABLE_ADMIN_UI": "True"}


class LiteLlm(Peer):
    own_install = True
    name = "LiteLLM"
    settings = "TLS, a worker, three models under one name, a master key, telemetry off"
    passes_as_is = False

    def missing(self):
        return peer.missing_program(peer.installed(HOME, "bin/litellm"), "LiteLLM")

    def version(self):
        return peer.pypi_version(HOME, "litellm")

    def install(self):
        peer.install_from_pypi(HOME, "litellm[proxy]")

    def launch(self, site):
        models = [{"model_name": "any", "litellm_params": {
            "model": "openai/" + model, "api_key": "sk-bench",
            "api_base": "http://127.0.0.1:%d/v1" % site.provider}}
            for model in ("gpt-4o", "gpt-4o-mini", "o1-mini")]
        path = site.write("litellm.yaml", json.dumps({
            "model_list": models, "general_settings": {"master_key": KEY},
            "litellm_settings": {"telemetry": False}}))
        return Launch(
            [peer.installed(HOME, "bin/litellm"), "--config", path, "--host", "127.0.0.1",
             "--port", site.port, "--num_workers", 1, "--ssl_keyfile_path", site.key,
             "--ssl_certfile_path", site.certificate],
            environment=QUIET | {"PATH": peer.installed(HOME, "bin") + ":" + os.environ["PATH"]},
            path="/v1/chat/completions", token=KEY)
