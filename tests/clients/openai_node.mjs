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

// How often the gateway has said no for it: as many requests have come.
async function refusals(policy) {
    const answer = await fetch(`http://127.0.0.1:${process.env.ADMIN_PORT}/metrics`);
    const start = `rotary_limit_decisions_total{policy="${policy}",`;
    return (await answer.text()).split('\n')
        .filter((line) => line.startsWith(start) && line.includes('decision="refused"'))
        .reduce((sum, line) => sum + Number(line.split(' ').pop()), 0);
}

// The client's waits between its tries end a promise, unlike other timers: they are noted, and not
// waited for.
async function withoutWaits(waits, action) {
    const { setTimeout: real } = globalThis;
    globalThis.setTimeout = (call, delay, ...rest) => {
        if (call.name === '' && String(call).includes('[native code]')) {
            waits.push(delay);
            return real(call, 0, ...rest);
        }
        return real(call, delay, ...rest);
    };
    try {
        return await action();
    } finally {
        globalThis.setTimeout = real;
    }
}

// An API that has room for one request in so many milliseconds: the next one is told when to come
// back, and comes `requests` times with the client's own retries, each after the wait as told.
async function full(api, code, length, requests) {
    const limited = new OpenAI({
        baseURL: baseURL.replace('/chat/', `/${api}/`), apiKey: process.env.TOKEN,
    });
    const ask = (options) => limited.chat.completions.create({ model: 'any', messages }, options)
        .then(() => null, (error) => {
            assert.ok(error instanceof OpenAI.RateLimitError, String(error));
            return error;
        });
    const current = () => Math.floor(Date.now() / length);
    let error = null, begun, before, waits, took;
    do { // a window that ended says nothing
        begun = current();
        await ask({ maxRetries: 0 });
        before = await refusals(api);
        waits = [];
        const started = performance.now();
        error = await withoutWaits(waits, () => ask({}));
        took = performance.now() - started;
    } while (error === null || current() !== begun);
    assert.equal(error.code, code);
    assert.equal(error.type, 'rate_limit_error');
    assert.equal(await refusals(api) - before, requests);
    assert.equal(waits.length, requests - 1, String(waits));
    if (waits.length > 0) {
        const told = Number(error.headers.get('retry-after-ms'));
        assert.ok(waits.every((wait) => told <= wait && wait <= told + took + 1000), String(waits));
    } else {
        assert.equal(error.headers.get('x-should-retry'), 'false');
    }
}

await plain();
await streamed();
await refused();
await full('minute', 'rate_limit_exceeded', 60000, 3);
await full('day', 'rate_limit_exceeded', 86400000, 1);
await full('spent', 'cost_budget_exceeded', Infinity, 1);
const turns = {};
for (let i = 0; i < 9; i += 1) {
    const model = await plain();
    turns[model] = (turns[model] ?? 0) + 1;
}
assert.deepEqual(turns, { 'gpt-4o': 3, 'o1-mini': 3, 'gpt-4o-mini': 3 });
