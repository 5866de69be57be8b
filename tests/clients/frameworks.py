"""LangChain, LlamaIndex and the official client's models.list(): all they are given is a base URL and
a key, and a CA by SSL_CERT_FILE."""

import os

import openai
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from llama_index.core.llms import ChatMessage
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai import OpenAI

URL, KEY = os.environ["BASE_URL"], os.environ["API_KEY"]
TEXTS = ["the wheel turns", "each takes its share", "until one rests"]


def of_langchain():
    for responses in (False, True):
        chat = ChatOpenAI(model="any", base_url=URL, api_key=KEY, use_responses_api=responses)
        turns = {}
        for _ in range(4):
            answer = chat.invoke("hello")
            assert answer.text, answer
            assert answer.usage_metadata["output_tokens"] == 8, answer
            model = answer.response_metadata["model_name"]
            turns[model] = turns.get(model, 0) + 1
        assert turns == {"first": 2, "second": 2}, turns
        pieces = [piece.text for piece in chat.stream("hello")]
        assert len([piece for piece in pieces if piece]) == 8, pieces
    # Without tiktoken, which would fetch its tables from elsewhere.
    embeddings = OpenAIEmbeddings(
        model="any", base_url=URL, api_key=KEY, check_embedding_ctx_length=False
    )
    vectors = embeddings.embed_documents(TEXTS)
    assert [vector[:2] for vector in vectors] == [[0.125, 0.25], [0.25, 0.375], [0.375, 0.5]]


def of_llama_index():
    # It must know how long a model's context is, and so the model by its name.
    chat = OpenAI(model="gpt-4o-mini", api_base=URL, api_key=KEY)
    assert chat.complete("hello").text
    assert chat.chat([ChatMessage(role="user", content="hello")]).message.content
    assert len([piece for piece in chat.stream_complete("hello") if piece.delta]) == 8
    embeddings = OpenAIEmbedding(model="text-embedding-3-small", api_base=URL, api_key=KEY)
    assert [len(vector) for vector in embeddings.get_text_embedding_batch(TEXTS)] == [8, 8, 8]


def of_models():
    client = openai.OpenAI(base_url=URL, api_key=KEY)
    models = list(client.models.list())
    assert [model.id for model in models] == ["first", "second", "vectors"], models
    assert all(model.object == "model" and model.owned_by for model in models), models
    try:
        openai.OpenAI(base_url=URL, api_key=KEY + "x").models.list()
    except openai.AuthenticationError:
        pass
    else:
        raise AssertionError("a stranger was told of the models")


of_models()
of_langchain()
of_llama_index()
