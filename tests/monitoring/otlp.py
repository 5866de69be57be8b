"""Spans as a collector reads them: OTLP's JSON, held against the official protobuf definitions."""
import base64
import json

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


def as_protobuf_has_it(batch):
    """OTLP's JSON is protobuf's but for its ids, which are in hex and not in base64."""
    for resource in batch["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for key, size in (("traceId", 16), ("spanId", 8), ("parentSpanId", 8)):
                    if key in span:
                        value = bytes.fromhex(span[key])
                        if len(value) != size or not any(value) or span[key] != span[key].lower():
                            raise ValueError(f"{key}: {span[key]}")
                        span[key] = base64.b64encode(value).decode()
    return batch


def spans_of(body):
    """The spans of a request's body. Raises ValueError when it is not as it must be: a name that
    the definitions do not have, a value of another kind, anything that they would write another way."""
    batch = as_protobuf_has_it(json.loads(body))
    try:
        message = json_format.Parse(json.dumps(batch), ExportTraceServiceRequest())
    except json_format.ParseError as error:
        raise ValueError(str(error)) from error
    written = json_format.MessageToDict(message, use_integers_for_enums=True)
    if written != batch:
        raise ValueError(f"{batch} is written {written}")
    return [span for resource in message.resource_spans
            for scope in resource.scope_spans for span in scope.spans]


def attributes(span):
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


def same(what, expected, found):
    if expected != found:
        raise ValueError(f"{what}: the log has {expected!r}, the span {found!r}")


# Of a request's span and of its last try's: the attribute, and what the log calls it.
REQUEST = {
    "http.request.method": "method", "url.path": "request.path", "server.address": "host",
    "client.address": "client_address", "http.response.status_code": "response_code",
    "rotary.request_id": "request_id", "rotary.attempts": "attempts", "rotary.api": "api",
    "rotary.policy": "policy", "rotary.env": "env", "gen_ai.original.model": "gen_ai.original.model",
}
TRY = {
    "gen_ai.request.model": "gen_ai.request.model", "gen_ai.response.model": "gen_ai.response.model",
    "gen_ai.usage.input_tokens": "input_tokens", "gen_ai.usage.output_tokens": "output_tokens",
    "rotary.backend": "backend", "http.response.status_code": "response_code",
    "rotary.attempt": "attempts",
}


def compare_with_log(spans, line, parent):
    """The spans of one trace against the line of its request in the access log."""
    for span in spans:
        same("the trace", line["trace_id"], span.trace_id.hex())
    (request,) = [span for span in spans if span.kind == Span.SPAN_KIND_SERVER]
    same("the parent", parent, request.parent_span_id.hex())
    same("the name", line["method"], request.name.split(" ")[0])
    known = attributes(request)
    for attribute, key in REQUEST.items():
        same(attribute, line.get(key), known.get(attribute))
    tries = sorted((span for span in spans if span.kind == Span.SPAN_KIND_CLIENT),
                   key=lambda span: attributes(span)["rotary.attempt"])
    same("how many tries", line["attempts"], len(tries))
    same("how many spans", line["attempts"] + 1, len(spans))
    for number, span in enumerate(tries, 1):
        same("the parent of a try", request.span_id, span.parent_span_id)
        same("the number of a try", number, attributes(span)["rotary.attempt"])
        same("a try that moved on", number < len(tries),
             attributes(span).get("rotary.failed_over", False))
        if not request.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano:
            raise ValueError(f"a try out of its request's time: {span}")
    last = attributes(tries[-1])
    same("the name of a try", f"chat {line['gen_ai.request.model']}", tries[-1].name)
    same("a stream", line["stream"], last.get("gen_ai.request.stream", False))
    for attribute, key in TRY.items():
        same(attribute, line.get(key), last.get(attribute))
    same("that it went well", 0, tries[-1].status.code)
