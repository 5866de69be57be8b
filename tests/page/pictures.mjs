// The page as it looks at work; run.sh --pictures FOLDER. docs/page.png is its light.png.
import { call, change, kAdmin, launch, until } from './browser.mjs';
import { rmSync, writeFileSync } from 'node:fs';

const folder = process.argv[2];
const browser = await launch();
const pages = {};
for (const [name, width, height, colorScheme] of [['light', 1280, 760, 'light'],
  ['dark', 1280, 760, 'dark'], ['narrow', 360, 900, 'dark']]) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  pages[name] = await context.newPage();
  await pages[name].goto(kAdmin);
}
// Callers, for long enough that the lines of a minute have something to show.
const end = Date.now() + 24_000;
let n = 0;
const caller = async (consumer, wait, more) => {
  while (Date.now() < end) {
    await call(consumer, { ...more, stream: n++ % 3 === 0 });
    await new Promise((done) => setTimeout(done, wait() * (0.6 + 0.4 * Math.sin(Date.now() / 2500))));
  }
};
await Promise.all([
  caller('checkout', () => 60 + 60 * Math.random()), caller('checkout', () => 150 * Math.random()),
  caller('research', () => 220, { model: 'o4-mini' }), caller('intern', () => 4000)]);
await change('reload');
for (const [name, page] of Object.entries(pages)) {
  await until('the rows', async () => (await page.locator('#requests tbody tr').count()) >= 12);
  const moved = page.locator('#requests tbody tr', { has: page.locator('[data-label=Tries]', { hasText: /^2$/ }) });
  if (await moved.count()) await moved.first().locator('button').click();
  await page.screenshot({ path: `${folder}/${name}.png` });
  await page.screenshot({ path: `${folder}/${name}-whole.png`, fullPage: true });
}
const broken = `${process.env.GATEWAY}/resources/broken.yaml`;
writeFileSync(broken, 'apiVersion: dp.wso2.com/v1alpha3\nkind: API\nmetadata: {name: broken}\nspec:\n  apiName: [\n');
await change('reload');
const page = pages.light;
await page.locator('#banner').waitFor({ state: 'visible' });
await page.screenshot({ path: `${folder}/banner.png` });
rmSync(broken);
await browser.close();
