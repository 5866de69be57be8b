"""The official Python client: all it is given is a base URL and a key, and a CA by SSL_CERT_FILE."""

import collections
import math
import os
import time
import unittest.mock
import urllib.request

import openai

MESSAGES = [{"role": "user", "content": "Say hello, in UTF-8: \u4f60\u597d \U0001f44b"}]
client = openai.OpenAI(base_url=os.environ["BASE_URL"], api_key=os.environ["TOKEN"])


def plain():
    raw = client.chat.completions.with_raw_response.create(model="any", messages=MESSAGES)
    answer = raw.parse()
    assert answer.choices[0].message.content, answer
    assert answer.choices[0].finish_reason == "stop", answer
    assert answer.usage.total_tokens > 0, answer
    assert raw.headers["x-rotary-model"] == answer.model, (dict(raw.headers), answer)
    assert raw.headers["x-rotary-attempts"] == "1", dict(raw.headers)
    assert raw.headers["x-rotary-request-id"] and raw.headers["x-request-id"]
    return answer.model


def streamed():
    stream = client.chat.completions.create(
        model="any", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    words, finish, usage = [], None, None
    for chunk in stream:
        if chunk.usage:
            usage = chunk.usage
        for choice in chunk.choices:
            words.append(choice.delta.content or "")
            finish = choice.finish_reason or finish
    assert len([word for word in words if word]) > 1, words
    assert finish == "stop", finish
    assert usage and usage.total_tokens > 0, usage


def refused():
    stranger = openai.OpenAI(base_url=os.environ["BASE_URL"], api_key="not-a-token")
    try:
        stranger.chat.completions.create(model="any", messages=MESSAGES)
    except openai.AuthenticationError as error:
        assert error.code == "invalid_token", error
        assert error.type == "authentication_error", error
        assert error.request_id, error
    else:
        raise AssertionError("a stranger was served")


def refusals(policy):
    """How often the gateway has said no for it: as many requests have come."""
    url = "http://127.0.0.1:%s/metrics" % os.environ["ADMIN_PORT"]
    with urllib.request.urlopen(url) as answer:
        lines = answer.read().decode().splitlines()
    start = 'rotary_limit_decisions_total{policy="%s",' % policy
    return sum(
        float(line.split()[-1])
        for line in lines
        if line.startswith(start) and 'decision="refused"' in line
    )


def full(api, code, window, requests):
    """An API that has room for one request in so many seconds: the next one is told when to come
    back, and comes `requests` times with the client's own retries, each after the wait as told."""
    base_url = os.environ["BASE_URL"].replace("/chat/", "/%s/" % api)
    limited = openai.OpenAI(base_url=base_url, api_key=os.environ["TOKEN"])

    def ask(who):
        who.chat.completions.create(model="any", messages=MESSAGES)

    error, begun = None, None
    while error is None or time.time() // window != begun:  # a window that ended says nothing
        begun, error, slept = time.time() // window, None, []
        try:
            ask(limited.with_options(max_retries=0))
        except openai.RateLimitError:
            pass  # the round before has had the one
        before, started = refusals(api), time.monotonic()
        with unittest.mock.patch("time.sleep", slept.append):
            try:
                ask(limited)
            except openai.RateLimitError as refusal:
                error = refusal
        took = time.monotonic() - started
    assert error.code == code and error.type == "rate_limit_error", error
    assert refusals(api) - before == requests, (refusals(api), before)
    assert len(slept) == requests - 1, slept
    if slept:
        told = float(error.response.headers["retry-after-ms"]) / 1000
        assert all(told <= wait <= told + took + 1 for wait in slept), (slept, told)
    else:
        assert error.response.headers["x-should-retry"] == "false", error.response.headers


plain()
streamed()
refused()
full("minute", "rate_limit_exceeded", 60, 3)
full("day", "rate_limit_exceeded", 86400, 1)
full("spent", "cost_budget_exceeded", math.inf, 1)
turns = collections.Counter(plain() for _ in range(9))
assert turns == {"gpt-4o": 3, "o1-mini": 3, "gpt-4o-mini": 3}, turns
