"""What the references say besides what is read: heads, and the words for the access log's fields."""

MADE = "Made by `tests/docs/reference.py`, which a test compares with what Rotary has: change nothing by hand."

METRICS = """# Metrics

%s

`/metrics` of the admin listener has them, in Prometheus' text format, or in OpenMetrics' with the ids of traces as
exemplars for who asks for it. Labels come from the configuration, never from a client: `api`, `policy`, `env`
(`production`, `sandbox`), `model` and `backend` are names of yours, `code` is a status. Of requests without a rotation
`policy`, `env` and `model` are empty. A series is there when what it counts is configured; one of a model or a Backend with
its first use.

Rules and a dashboard that use them are in `deploy/prometheus` and `deploy/grafana`.""" % MADE

ACCESS_HEAD = """# The log

%s

## The access log

One JSON line a request on standard output (`log.access: json`), refused ones too, when its answer has ended. What is not
known is left out. No line holds a body, a query, a token or a key. Names with a dot are OpenTelemetry's.""" % MADE

TEXT_FORM = """With `log.access: text` a line has the time, the method and path, the status, the duration, model and Backend, the
client's address, the error and the request's id.

## The event log

What happens to the gateway itself goes to standard error: `ts`, `level`, `msg` and the fields of the message; in JSON, or
readable and coloured on a terminal. `log.level` and `POST /api/v1/log-level?level=LEVEL` say from which level on. With
`log.tries: true`, or at `debug`, there is a line `try` for each attempt: `request_id`, `attempt`, `entry`, `backend`, `status`,
`fault`, `detail`, `milliseconds`, `reused_connection`."""

ACCESS = {
    "start_time": "when the first byte of the request came, UTC",
    "method": "",
    "request.path": "without its query, where some clients put keys",
    "response_code": "what the client saw; 499: it went away",
    "duration_ms": "from the request's first byte to the answer's last",
    "ttft_ms": "to the answer's first byte",
    "overhead_us": "what Rotary took of it: the duration without its waits for client and provider",
    "bytes_received": "of the request, head and body",
    "bytes_sent": "of the answer, head and body",
    "host": "as the client named it",
    "client_address": "the connection's other end, or where a trusted proxy (`proxies`) says that the request came from",
    "sub": "of the token that was accepted",
    "consumer": "who pays, as limits and budgets know it",
    "key_id": "of an API key, good or not; nothing else of it",
    "stream": "whether the request asked for a stream",
    "user-agent": "",
    "request_id": "ours: `x-rotary-request-id` of the answer",
    "x-request-id": "the client's, if it sent one",
    "trace_id": "where tracing is on",
    "x-stainless-retry-count": "above 0 an SDK is trying again",
    "api": "",
    "policy": "the `APIPolicy` with the rotation",
    "env": "`production` or `sandbox`",
    "gen_ai.provider.name": "of the `AIProvider`",
    "gen_ai.original.model": "as the client wrote it",
    "gen_ai.request.model": "as it was sent on: the entry's",
    "gen_ai.response.model": "as the answer names it, where that had to be read",
    "backend": "who was asked last",
    "upstream_host": "",
    "upstream_request_id": "the provider's `x-request-id`",
    "attempts": "tries at providers; 0: refused by Rotary itself",
    "input_tokens": "",
    "output_tokens": "",
    "cached_tokens": "a part of the input",
    "cache_write_tokens": "a part of the input",
    "reasoning_tokens": "a part of the output",
    "usage": "how it is known: `told` by the provider, `estimated`, `partial` of an answer that broke off, `none`",
    "cost_nd": "in nanodollars, 10^-9 of the currency, by the price lists",
    "reused_connection": "whether the provider's connection had served before",
    "limit": "the policy or budget that refused it",
    "error.code": "of a refusal or failure, as in troubleshooting",
    "error.reason": "what the client is not told: which check failed",
}
