// The operator's page, looked at and used by a browser; run.sh starts what it shows.
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { AxeBuilder, api, call, change, kAdmin, launch, until } from './browser.mjs';

const { env } = process;
const browser = await launch();
const complaints = [];  // what no page may do: say, load or violate something

// A page of its own that is up and live.
async function open(options = {}, path = '/') {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  await context.addInitScript(() => addEventListener('securitypolicyviolation',
    (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`)));
  const page = await context.newPage();
  const complain = (what) => complaints.push(`${checking}: ${what}`);
  page.on('pageerror', (error) => complain(error.message));
  page.on('console', (message) => { if (message.type() === 'error') complain(message.text()); });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== kAdmin && url.protocol !== 'data:') complain(`asked ${url.origin}`);
  });
  await page.goto(kAdmin + path);
  return page;
}
async function openLive(options) {
  const page = await open(options);
  await page.locator('#link', { hasText: /^live$/ }).waitFor();
  await page.locator('#requests tbody button').first().waitFor();
  return page;
}
// The one that stays open, as it was at first.
let kept;
async function desk() {
  kept ??= await openLive();
  await kept.locator('button[data-filter=all]').click();
  return kept;
}
const models = async () => (await api('models')).body.models;
const entry = async (model) => (await models()).find((m) => m.model === model && m.env === 'production');
const rowOf = (page, m) => page.locator(`#models tbody:nth-of-type(${m.env === 'production' ? 1 : 2}) tr`)
  .filter({ has: page.locator('td.name').getByText(m.model, { exact: true }) });
const text = async (locator) => (await locator.innerText()).replace(/\s+/g, ' ').trim();
const percent = (x) => `${(100 * x).toFixed(1)} %`;

// What a row has to say of a model, be it written by the server or by the script.
async function expectRow(page, m) {
  const row = rowOf(page, m);
  const said = async (label) => text(row.locator(`[data-label="${label}"]`));
  const due = m.env === 'production' ? m.weight / 10 : 1;
  assert.equal(await said('Model'), m.model);
  assert.ok((await said('Backend')).includes(m.host), m.host);
  assert.equal(await said('Share (weight)'), `${percent(m.share)} ${m.weight} · ${percent(due)}`);
  assert.ok((await said('State')).startsWith(m.state), `${m.model}: ${await said('State')}`);
  if (m.reason) assert.ok((await said('State')).includes(m.reason), m.reason);
  assert.equal(await said('Requests'), String(m.requests));
  assert.equal(m.latency_p95_ms === undefined, m.requests === 0);
  if (m.latency_p95_ms) assert.match(await said('Answers in'), /^[\d.]+( ms)? · [\d.]+ ms/);
}

async function expectAccessible(page, what) {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true)
    .options({ resultTypes: ['violations'] }).analyze();
  const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).slice(0, 3).join('; ')}`);
  assert.deepEqual(found, [], `${what}: ${found.join('\n')}`);
}

async function expectFits(page, what) {
  const wide = await page.evaluate(() => [document.documentElement, ...document.querySelectorAll('.card')]
    .filter((node) => node.scrollWidth > node.clientWidth + 1).map((node) => node.tagName + ' ' + node.innerText.slice(0, 30)));
  assert.deepEqual(wide, [], `${what} scrolls sideways`);
}

const checks = {
  async 'it is small and strict'() {
    let bytes = 0;
    for (const file of ['', 'page.css', 'page.js']) {
      const answer = await fetch(`${kAdmin}/${file}`);
      assert.equal(answer.status, 200, file);
      bytes += (await answer.arrayBuffer()).byteLength;
      if (file !== '') continue;
      const policy = answer.headers.get('content-security-policy').split('; ');
      for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]) {
        assert.ok(policy.includes(rule), rule);
      }
    }
    assert.ok(bytes < 60_000, `${bytes} bytes`);
    const before = complaints.length;
    const page = await open();
    await page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'window.forged = true';
      document.body.append(script);
    });
    assert.equal(await page.evaluate(() => window.forged), undefined);
    await until('the violation is told', () => complaints.length > before);
    complaints.splice(before);
    await page.context().close();
  },

  async 'it reads without JavaScript'() {
    const page = await open({ javaScriptEnabled: false });
    for (const m of await models()) await expectRow(page, m);
    assert.equal(await text(page.locator('#state')), 'ready');
    assert.ok((await text(page.locator('noscript'))).includes('Without JavaScript'));
    assert.ok(await page.locator('#banner').isHidden());
    await page.context().close();
  },

  async 'models have shares, and a countdown where they are out'() {
    const page = await desk();
    for (const m of await models()) await expectRow(page, m);
    const count = page.locator('#models .count').first();
    const first = parseInt(await count.innerText(), 10);
    assert.ok(first > 0 && first <= 86, `${first} s`);
    await until('the countdown goes on', async () => parseInt(await count.innerText(), 10) < first);
  },

  async 'a request tells of its tries'() {
    const page = await desk();
    await page.locator('button[data-filter=moved]').click();
    assert.equal(await page.locator('button[data-filter=moved]').getAttribute('aria-pressed'), 'true');
    const rows = page.locator('#requests tbody tr');
    assert.equal(await rows.count(), 1);
    const button = rows.first().locator('button');
    assert.equal(await button.getAttribute('aria-expanded'), 'false');
    await button.click();
    assert.equal(await rows.first().locator('button').getAttribute('aria-expanded'), 'true');
    const tries = await page.locator('.tries li').allInnerTexts();
    assert.equal(tries.length, 2);
    assert.match(tries[0], /429 gpt-4o at openai, .*suspended/);
    assert.match(tries[1], /200 (gpt-4o-mini at openai|o4-mini at azure)/);
    await rows.first().locator('button').click();
    assert.equal(await rows.count(), 1);
    await page.locator('button[data-filter=all]').click();
    assert.equal(await rows.count(), 12);
    const { length } = (await api('requests?limit=200')).body.requests;
    await page.getByText(`Show all ${length}`).click();
    assert.equal(await rows.count(), length);
    await page.getByText('Show fewer').click();
    assert.equal(await rows.count(), 12);
  },

  async 'a consumer is refused'() {
    const page = await desk();
    const row = page.locator('#consumers tbody tr', { hasText: 'intern' });
    const shown = (await api('consumers')).body.consumers.find((c) => c.consumer === 'intern');
    assert.ok(shown.refused > 0);
    assert.equal(await text(row.locator('[data-label=Refused]')), String(shown.refused));
    assert.equal(await text(row.locator('[data-label=Requests]')), String(shown.requests));
    const { cost_today_nd: cost, of_whole_day: whole } = (await api('consumers')).body;
    assert.ok(cost > 0 && cost === (await api('consumers')).body.consumers.reduce((sum, c) => sum + c.cost_today_nd, 0));
    assert.match(await text(page.locator('#cost-since')), whole ? /^Cost today$/ : /^Cost since \d\d:\d\d:\d\d$/);
    assert.ok((await text(page.locator('#consumers-note'))).includes((cost / 1e9).toFixed(cost < 1e7 ? 6 : 2)));
    await page.locator('button[data-filter=errors]').click();
    assert.match(await text(page.locator('#requests tbody tr').first()), /429.*cost_budget_exceeded.*intern/);
    assert.match(await text(page.locator('#limits tbody tr').first()), /^intern .*cost a month .* of 0\.000001/);
  },

  async 'what replicas used together has beside it what of that is of this one'() {
    const page = await open();
    const rows = page.locator('#limits tbody tr');
    await rows.first().waitFor();
    assert.equal(await rows.filter({ hasText: ' here' }).count(), 0);
    await page.route('**/api/v1/limits*', async (route) => {
      const response = await route.fetch();
      const json = await response.json();
      for (const limit of json.limits) limit.used_here = 7_000_000_000;
      await route.fulfill({ response, json });
    });
    await rows.filter({ hasText: ' here' }).first().waitFor();
    assert.match(await text(rows.first()), /^intern .*cost a month .* of 0\.000001, 7\.00 here/);
    await page.context().close();
  },

  async 'a click suspends, and another resumes'() {
    const page = await desk();
    const m = await entry('gpt-4o-mini');
    const button = rowOf(page, m).locator('button');
    await button.click();
    assert.equal(await text(button), 'Sure?');
    assert.equal((await entry('gpt-4o-mini')).state, 'active');
    await button.click();
    await rowOf(page, m).locator('.chip.bad').waitFor();
    const out = await entry('gpt-4o-mini');
    assert.deepEqual([out.state, out.reason], ['suspended', 'operator']);
    await button.filter({ hasText: 'Resume' }).click();
    await rowOf(page, m).locator('.chip:not(.bad)').waitFor();
    assert.equal((await entry('gpt-4o-mini')).state, 'active');
  },

  async 'events come by themselves'() {
    const page = await desk();
    // From here on the script can't ask: what comes is told.
    for (const path of ['events?format=json', 'status', 'models', 'requests?limit=200']) {
      await page.route(`${kAdmin}/api/v1/${path}`, () => {});
    }
    const m = await entry('o4-mini');
    const before = await page.locator('#events li').count();
    await change(`models/${encodeURIComponent(m.id)}/suspend`);
    await until('the event', async () => (await page.locator('#events li').count()) > before);
    assert.match(await text(page.locator('#events li').first()), /suspended assistant\/production\/o4-mini@azure/);
    await rowOf(page, m).locator('.chip.bad').waitFor();
    await change(`models/${encodeURIComponent(m.id)}/resume`);
    await page.locator('#events li').first().filter({ hasText: 'resumed' }).waitFor();
    await rowOf(page, m).locator('.chip:not(.bad)').waitFor();
    await page.unrouteAll();
  },

  async 'the keyboard does it all'() {
    const page = await desk();
    const m = await entry('o4-mini');
    const focused = () => page.evaluate(() => document.activeElement.getAttribute('aria-label') || document.activeElement.textContent);
    const tabTo = async (name) => {
      for (let i = 0; i < 40; i++) {
        await page.keyboard.press('Tab');
        if ((await focused()).match(name)) return;
      }
      assert.fail(`no way to ${name} by the keyboard`);
    };
    await tabTo(/^Suspend o4-mini/);
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(outline, 'solid');
    await page.keyboard.press('Enter');
    await until('the question keeps the focus', async () => (await focused()).startsWith('Suspend now: o4-mini'));
    await page.keyboard.press('Enter');
    await until('it is out', async () => (await entry('o4-mini')).state === 'suspended');
    await until('the focus stays', async () => (await focused()).startsWith('Resume o4-mini'));
    await page.keyboard.press('Enter');
    await until('it is back', async () => (await entry('o4-mini')).state === 'active');
    await tabTo(/^Failed over$/);
    await page.keyboard.press('Space');
    await tabTo(/^\d\d:\d\d:\d\d$/);
    await page.keyboard.press('Enter');
    await page.locator('.tries').waitFor();
    await page.keyboard.press('Enter');
    await page.locator('.tries').waitFor({ state: 'detached' });
    assert.equal(m.state, 'active');
  },

  async 'a failed reload has its place in red'() {
    const page = await desk();
    const broken = `${env.GATEWAY}/resources/broken.yaml`;
    writeFileSync(broken, 'apiVersion: dp.wso2.com/v1alpha3\nkind: API\nmetadata: {name: broken}\nspec:\n  apiNam: x\n');
    assert.equal((await change('reload')).status, 422);
    const banner = page.locator('#banner');
    await banner.waitFor();
    assert.match(await text(banner), /resources\/broken\.yaml:5:3: error/);
    const red = await banner.evaluate((node) => getComputedStyle(node).color);
    assert.equal(red, 'rgb(163, 32, 45)');
    await expectAccessible(page, 'the banner');
    const plain = await open({ javaScriptEnabled: false });
    assert.match(await text(plain.locator('#banner')), /resources\/broken\.yaml:5:3: error/);
    await plain.context().close();
    rmSync(broken);
    assert.equal((await change('reload')).status, 200);
    await banner.waitFor({ state: 'hidden' });
  },

  async 'it is accessible, light and dark, and fits 360 pixels'() {
    const grounds = [];
    for (const [colorScheme, widths] of [['light', [1280, 1100, 960, 800]], ['dark', [360]]]) {
      const page = await openLive({ colorScheme });
      await page.locator('button[data-filter=moved]').click();
      await page.locator('#requests tbody button').first().click();
      for (const width of widths) {
        await page.setViewportSize({ width, height: 800 });
        await expectFits(page, `${width} px`);
      }
      await expectAccessible(page, `${colorScheme}, ${widths.at(-1)} px`);
      grounds.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
      await page.context().close();
    }
    assert.notEqual(grounds[0], grounds[1]);
  },

  async 'nothing moves for those who want it still'() {
    const page = await desk();
    for (const [reducedMotion, expected] of [['reduce', '0s'], ['no-preference', '0.4s']]) {
      await page.emulateMedia({ reducedMotion });
      // In one step: what is shown is drawn anew each second.
      const moves = await page.evaluate(() => getComputedStyle(document.querySelector('.share rect')).transitionDuration);
      assert.equal(moves, expected, reducedMotion);
    }
  },

  async 'it asks for the token'() {
    const file = `${env.GATEWAY}/rotary.yaml`;
    const before = readFileSync(file, 'utf8');
    const token = 'page-token-0123456789';
    writeFileSync(`${env.GATEWAY}/admin.token`, `${token}\n`);
    writeFileSync(file, before.replace('token_file: ""', 'token_file: admin.token'));
    assert.equal((await change('reload')).status, 200);
    const known = complaints.length;
    const page = await open();
    await page.locator('#sign-in').waitFor();
    assert.equal(await page.locator('#models tbody tr td').count(), 0);
    assert.ok(await page.locator('.live').first().isHidden());
    await expectAccessible(page, 'the form');
    await page.getByLabel('Admin token').fill('wrong');
    await page.keyboard.press('Enter');
    await page.locator('#sign-in-note', { hasText: 'That is not the token.' }).waitFor();
    await page.getByLabel('Admin token').fill(token);
    await page.keyboard.press('Enter');
    await page.locator('#link', { hasText: /^live$/ }).waitFor();
    await page.locator('#requests tbody button').first().waitFor();
    assert.ok(await page.locator('#sign-in').isHidden());
    assert.ok(!(await page.content()).includes(token));
    // The browser itself notes each 401 and 403.
    const rest = complaints.splice(known).filter((what) => !/status of 40[13]/.test(what));
    complaints.push(...rest);
    await page.context().close();
  },
};

// What the page shows: a quota that was reached, a consumer without money, what others used.
for (let i = 0; i < 20; i++) assert.equal(await call('checkout', { stream: i % 4 === 0 }), 200);
assert.equal(await call('intern'), 200);
await until('the budget is used up', async () => (await call('intern')) === 429);
assert.equal(await call('research', { model: 'o4-mini' }), 200);

let checking = '';
try {
  for (const [name, check] of Object.entries(checks)) {
    checking = name;
    const began = Date.now();
    await check();
    console.log(`${String(Date.now() - began).padStart(6)} ms  ${name}`);
  }
  assert.deepEqual(complaints, []);
} catch (error) {
  console.error(`${checking}: ${error.stack}\n${complaints.join('\n')}`);
  process.exitCode = 1;
}
await browser.close();
