"""nginx, which only passes on: no token is checked, no body is read, no log is written."""
import re

from rig.peers.peer import Launch, Peer, first_line, missing_program, program

CONFIGURATION = """
worker_processes {workers};
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_max_body_size 16m;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream provider {{
        {servers}
        keepalive 256;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port} ssl backlog=4096;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        location / {{
            proxy_pass {scheme}://provider/v1/;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            {more}
        }}
    }}
}}
"""
UNBUFFERED = "proxy_buffering off; proxy_request_buffering off;"
BUFFERED = "client_body_buffer_size 2m;"
VERIFIED = """proxy_ssl_verify on; proxy_ssl_trusted_certificate {authority};
            proxy_ssl_name localhost; proxy_ssl_server_name on;"""
TRYING_AGAIN = "proxy_next_upstream error timeout http_503 non_idempotent;"


class Nginx(Peer):
    retries = True
    upstream_tls = True

    def __init__(self, buffered=False):
        self.buffered = buffered
        self.name = "nginx, buffering" if buffered else "nginx"
        self.settings = (
            "proxy_buffering and proxy_request_buffering %s, 256 connections kept to the provider, "
            "no log%s" % (("on", ", bodies of 2 MB in memory") if buffered else ("off", "")))

    def missing(self):
        return missing_program("nginx", "nginx-light")

    def version(self):
        return re.sub(r".*: ", "", first_line([program("nginx"), "-v"]))

    def launch(self, site):
        workload = site.workload
        ports = [site.provider] * 2 + [site.failing] if workload.failing else [site.provider]
        servers = ["server 127.0.0.1:%d max_fails=0;" % port for port in ports]
        more = [BUFFERED if self.buffered else UNBUFFERED]
        if workload.upstream_tls:
            more.append(VERIFIED.format(authority=site.authority))
        if workload.failing:
            more = [BUFFERED, TRYING_AGAIN]  # what is to be sent again has to be kept
        path = site.write("nginx.conf", CONFIGURATION.format(
            workers=workload.workers, folder=site.folder, servers=" ".join(servers),
            port=site.port, certificate=site.certificate, key=site.key,
            scheme="https" if workload.upstream_tls else "http", more=" ".join(more)))
        return Launch([program("nginx"), "-e", site.folder + "/error.log", "-c", path])
