// The official Node client: all it is given is a base URL and a key, and a CA by
// NODE_EXTRA_CA_CERTS. The package is found beside the package.json that OPENAI_PACKAGE names.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const OpenAI = createRequire(process.env.OPENAI_PACKAGE)('openai').default;
const messages = [{ role: 'user', content: 'Say hello, in UTF-8: \u4f60\u597d \u{1f44b}' }];
const baseURL = process.env.BASE_URL;
const client = new OpenAI({ baseURL, apiKey: process.env.TOKEN });

async function plain() {
    const { data, response } = await client.chat.completions
        .create({ model: 'any', messages })
        .withResponse();
    assert.ok(data.choices[0].message.content);
    assert.equal(data.choices[0].finish_reason, 'stop');
    assert.ok(data.usage.total_tokens > 0);
    assert.equal(response.headers.get('x-rotary-model'), data.model);
    assert.equal(response.headers.get('x-rotary-attempts'), '1');
    assert.ok(response.headers.get('x-rotary-request-id'));
    assert.ok(data._request_id);
    return data.model;
}

async function streamed() {
    const stream = await client.chat.completions.create({
        model: 'any', messages, stream: true, stream_options: { include_usage: true },
    });
    let words = 0, finish = null, usage = null;
    for await (const chunk of stream) {
        usage = chunk.usage ?? usage;
        for (const choice of chunk.choices) {
            if (choice.delta.content) words += 1;
            finish = choice.finish_reason ?? finish;
        }
    }
    assert.ok(words > 1, `${words} words`);
    assert.equal(finish, 'stop');
    assert.ok(usage?.total_tokens > 0);
}

async function refused() {
    const stranger = new OpenAI({ baseURL, apiKey: 'not-a-token' });
    await assert.rejects(stranger.chat.completions.create({ model: 'any', messages }), (error) => {
        assert.ok(error instanceof OpenAI.AuthenticationError, String(error));
        assert.equal(error.code, 'invalid_token');
        assert.equal(error.type, 'authentication_error');
        return true;
    });
}

await plain();
await streamed();
await refused();
const turns = {};
for (let i = 0; i < 9; i += 1) {
    const model = await plain();
    turns[model] = (turns[model] ?? 0) + 1;
}
assert.deepEqual(turns, { 'gpt-4o': 3, 'o1-mini': 3, 'gpt-4o-mini': 3 });
