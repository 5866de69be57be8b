"""The official Python client: all it is given is a base URL and a key, and a CA by SSL_CERT_FILE."""

import collections
import os

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


plain()
streamed()
refused()
turns = collections.Counter(plain() for _ in range(9))
assert turns == {"gpt-4o": 3, "o1-mini": 3, "gpt-4o-mini": 3}, turns
