"""HAProxy, which only passes on, as nginx does here."""
import re

from rig.peers.peer import Launch, Peer, first_line, missing_program, program

CONFIGURATION = """
global
    nbthread {workers}
    maxconn 8000
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout http-keep-alive 60s
    option http-keep-alive
    http-reuse always
frontend clients
    bind 127.0.0.1:{port} ssl crt {folder}/server.pem alpn http/1.1 ssl-min-ver TLSv1.2
    default_backend provider
backend provider
    balance roundrobin
    {more}
    {servers}
"""
SERVER = "server s{number} 127.0.0.1:{port} pool-max-conn 256 {tls}"
VERIFIED = "ssl verify required ca-file {authority} verifyhost localhost sni str(localhost)"


class HaProxy(Peer):
    name = "HAProxy"
    settings = "http-reuse always, a thread a worker, no log; on a 503 (retry-on) 2 more tries"
    retries = True
    upstream_tls = True

    def missing(self):
        return missing_program("haproxy", "haproxy")

    def version(self):
        return re.sub(r" \d{4}/.*| version", "", first_line([program("haproxy"), "-v"]))

    def launch(self, site):
        workload = site.workload
        with open(site.certificate, encoding="utf-8") as certificate, \
                open(site.key, encoding="utf-8") as key:
            site.write("server.pem", certificate.read() + key.read())
        tls = VERIFIED.format(authority=site.authority) if workload.upstream_tls else ""
        ports = [site.provider] * 2 + [site.failing] if workload.failing else [site.provider]
        servers = [SERVER.format(number=number, port=port, tls=tls)
                   for number, port in enumerate(ports)]
        more = "retries 2\n    retry-on 503\n    option redispatch 1" if workload.failing else ""
        path = site.write("haproxy.cfg", CONFIGURATION.format(
            workers=workload.workers, port=site.port, folder=site.folder, more=more,
            servers="\n    ".join(servers)))
        return Launch([program("haproxy"), "-db", "-f", path])
