// The AI SDK as its documents show it, whose default is the Responses API, and the official client's
// models.list(): all they are given is a base URL and a key, and a CA by NODE_EXTRA_CA_CERTS. The
// packages are found beside the package.json that CLIENT_PACKAGES names.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const packages = createRequire(process.env.CLIENT_PACKAGES);
const { embedMany, generateText, streamText } = packages('ai');
const { createOpenAI } = packages('@ai-sdk/openai');
const OpenAI = packages('openai').default;
const baseURL = process.env.BASE_URL;
const apiKey = process.env.API_KEY;
const openai = createOpenAI({ baseURL, apiKey });
const prompt = 'hello';

for (const model of [openai('any'), openai.chat('any')]) {
    const turns = {};
    for (let i = 0; i < 4; i += 1) {
        const { text, usage, response } = await generateText({ model, prompt });
        assert.ok(text);
        assert.equal(usage.outputTokens, 8);
        turns[response.modelId] = (turns[response.modelId] ?? 0) + 1;
    }
    assert.deepEqual(turns, { first: 2, second: 2 });

    const stream = streamText({ model, prompt, onError: ({ error }) => { throw error; } });
    const pieces = [];
    for await (const piece of stream.textStream) pieces.push(piece);
    assert.equal(pieces.filter((piece) => piece !== '').length, 8);
    assert.equal(await stream.finishReason, 'stop');
    assert.equal((await stream.usage).outputTokens, 8);
}

// A chat model is not asked for what only others have.
await assert.rejects(generateText({ model: openai.completion('any'), prompt, maxRetries: 0 }),
    (error) => error.statusCode === 404);

const { embeddings } = await embedMany({
    model: openai.embedding('any'), values: ['one', 'two', 'three'],
});
assert.deepEqual(embeddings.map((vector) => vector[0]), [0.125, 0.25, 0.375]);

const client = new OpenAI({ baseURL, apiKey });
const models = [];
for await (const model of client.models.list()) models.push(model.id);
assert.deepEqual(models, ['first', 'second', 'vectors']);
