// What the test and its pictures share: the gateway, its callers, a browser.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { env } = process;
const from = createRequire(`${env.PAGE_MODULES}/package.json`);
const { chromium } = from('playwright-core');
export const { AxeBuilder } = from('@axe-core/playwright');

export const kAdmin = `http://127.0.0.1:${env.ADMIN_PORT}`;
const kGateway = `https://localhost:${env.GATEWAY_PORT}/v1/chat/completions`;

const key = (consumer) => readFileSync(`${env.KEYS}/${consumer}`, 'utf8').trim();

// One request of a consumer's; its status.
export async function call(consumer, more = {}) {
  const { stream = false, headers = {}, model = 'gpt-4o' } = more;
  const answer = await fetch(kGateway, {
    method: 'POST',
    headers: { authorization: `Bearer ${key(consumer)}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'How do I get there?' }] }),
  });
  await answer.text();
  return answer.status;
}

export async function api(path, options = {}) {
  const answer = await fetch(`${kAdmin}/api/v1/${path}`, options);
  return { status: answer.status, body: await answer.json() };
}
export const change = (path) => api(path, { method: 'POST' });

// What `look` returns once that is neither false, null nor undefined.
export async function until(what, look) {
  const end = Date.now() + 10_000;
  for (;;) {
    const found = await look();
    if (found !== false && found !== null && found !== undefined) return found;
    assert.ok(Date.now() < end, `${what}: not within 10 s`);
    await new Promise((done) => setTimeout(done, 40));
  }
}

export const launch = () => chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: process.getuid() === 0 ? ['--no-sandbox'] : [],
});
