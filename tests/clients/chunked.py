"""A client that sends its body in chunks: by http.client, and by hand cut at every awkward place."""

import collections
import http.client
import json
import os
import socket
import ssl
import urllib.parse

URL = urllib.parse.urlsplit(os.environ["BASE_URL"] + "/chat/completions")
TOKEN = os.environ["TOKEN"]
TLS = ssl.create_default_context(cafile=os.environ["CA"])
BODY = json.dumps(
    {"messages": [{"role": "user", "content": "Hello \u4f60\u597d"}], "model": "any", "n": 1},
    ensure_ascii=False,
).encode()
HEAD = {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"}


def pieces(size):
    return [BODY[at : at + size] for at in range(0, len(BODY), size)]


def ask(connection, size):
    # Without a length http.client frames what an iterator gives as chunks, one a piece.
    connection.request("POST", URL.path, body=iter(pieces(size)), headers=HEAD)
    response = connection.getresponse()
    body = response.read()
    assert response.status == 200, (size, response.status, body)
    answer = json.loads(body)
    assert answer["choices"][0]["message"]["content"], answer
    assert response.getheader("x-rotary-model") == answer["model"], answer
    return answer["model"]


def raw(payload):
    """Sends these bytes after the head of a chunked request; returns the status and the rest."""
    head = f"POST {URL.path} HTTP/1.1\r\nHost: {URL.netloc}\r\nConnection: close\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in HEAD.items())
    head += "Transfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection((URL.hostname, URL.port), 30) as tcp:
        with TLS.wrap_socket(tcp, server_hostname=URL.hostname) as tls:
            tls.sendall(head.encode())
            for piece in payload:
                tls.sendall(piece)
            answer = b""
            while piece := tls.recv(65536):
                answer += piece
    return int(answer.split(b" ", 2)[1]), answer


def framed(size):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces(size))


connection = http.client.HTTPSConnection(URL.hostname, URL.port, timeout=30, context=TLS)
for size in (1, 3, 7, 64, 1 << 20):
    ask(connection, size)

everything = framed(5) + b"0\r\n\r\n"
status, _ = raw([everything])
assert status == 200, status
status, _ = raw([everything[at : at + 1] for at in range(len(everything))])
assert status == 200, "byte by byte"
status, _ = raw([framed(1 << 20), b"0\r\nX-Trailer: dropped\r\n\r\n"])
assert status == 200, "a trailer"
for name, bad in {
    "no size": b"\r\n",
    "a sign": b"+5\r\nhello\r\n0\r\n\r\n",
    "0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "data longer than its size": b"3\r\nhello\r\n0\r\n\r\n",
}.items():
    status, answer = raw([bad])
    assert status == 400, (name, status)
    assert b'"bad_request"' in answer, (name, answer)

turns = collections.Counter(ask(connection, 11) for _ in range(9))
assert turns == {"gpt-4o": 3, "o1-mini": 3, "gpt-4o-mini": 3}, turns
