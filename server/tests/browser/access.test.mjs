// Every page: nothing for axe-core to find, light and dark, from 320 pixels up; nothing that moves by itself; under 100 kB.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { DESKTOP, PHONE, Shop, add, visitor } from './shop.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PAGES = ['/', '/aisle/kitchen', '/aisle/all', '/search?q=red', '/search?q=trolleybus', '/product/tee', '/product/board', '/cart', '/cart/history', '/back-room', '/product/nothing', '/sign-in', '/sign-up', '/forgot', '/reset'];
const SMALLEST = { width: 320, height: 640 };
const BYTES_MAX = 100_000;

async function filled(page, shop) {
  await add(page, shop, 'tee', { choose: { colour: 'sky', size: 'L' } });
  await add(page, shop, 'stool');
  await add(page, shop, 'lantern');
  await page.goto(`${shop.address}/cart`);
  await page.getByRole('button', { name: 'Save for later: Storm lantern' }).click();
  await page.getByRole('region', { name: 'Saved for later' }).waitFor();
}

for (const colorScheme of ['light', 'dark']) {
  for (const viewport of [SMALLEST, PHONE, DESKTOP]) {
    test(`axe-core finds nothing and every page fits, ${colorScheme}, ${viewport.width} wide`, async (t) => {
      const shop = await Shop.open(t);
      const context = await visitor(t, { javaScript: true, viewport, colorScheme, reducedMotion: 'reduce' });
      const page = await context.newPage();
      await filled(page, shop);
      for (const path of [...PAGES, ...(await more(page, shop))]) {
        await page.goto(`${shop.address}${path}`);
        await clean(page);
        const width = await page.evaluate('document.documentElement.scrollWidth');
        assert.ok(width <= viewport.width, `${path} is ${width} wide`);
      }
    });
  }
}

/** Nothing for axe-core to find on the page as it stands. */
async function clean(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate('axe.run({ resultTypes: ["violations"] })');
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
  assert.deepEqual(found, [], page.url());
}

/** Pages that need something to have happened: a checkout that is short of something, an order, the list of orders. */
async function more(page, shop) {
  await page.goto(`${shop.address}/back-room`);
  await page.getByLabel('In stock of Milking stool').fill('0');
  await page.getByRole('button', { name: 'Change Milking stool' }).click();
  await page.getByText('Milking stool was changed').first().waitFor();
  await page.goto(`${shop.address}/checkout`);
  await page.getByLabel('Order what there is').check();
  await page.locator('#place').click();
  await page.waitForURL('**/order/**');
  await clean(page);
  await page.goto(`${shop.address}/back-room`);
  await page.getByLabel('In stock of Milking stool').fill('1');
  await page.getByRole('button', { name: 'Change Milking stool' }).click();
  await page.getByText('Milking stool was changed').first().waitFor();
  for (let more = 0; more < 2; more += 1) await add(page, shop, 'stool');
  await page.goto(`${shop.address}/sign-up`);
  await page.getByLabel('E-mail address').fill('ann@example.com');
  await page.getByLabel('Password').fill('three small boats');
  await page.locator('main .main-button').click();
  await page.getByRole('link', { name: 'Account', exact: true }).waitFor();
  return ['/checkout', '/account', '/orders', '/outbox'];
}

test('no page is over 100 kB, and none shifts while it loads', async (t) => {
  const shop = await Shop.open(t);
  for (const viewport of [PHONE, DESKTOP]) {
    for (const path of PAGES) {
      const context = await visitor(t, { javaScript: true, viewport });
      const page = await context.newPage();
      let bytes = 0;
      page.on('response', (response) => {
        const size = response.body().then((body) => { bytes += body.length; }, () => {});
        sizes.push(size);
      });
      const sizes = [];
      await page.addInitScript(() => {
        window.shifted = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
        }).observe({ type: 'layout-shift', buffered: true });
      });
      await page.goto(`${shop.address}${path}`, { waitUntil: 'load' });
      await page.waitForLoadState('networkidle');
      await Promise.all(sizes);
      assert.ok(bytes < BYTES_MAX, `${path} takes ${bytes} bytes at ${viewport.width}`);
      assert.ok(await page.evaluate('window.shifted') < 0.01, `${path} shifts at ${viewport.width}`);
      await context.close();
    }
  }
});

test('the shop is usable by keyboard alone, and begins with a way past the head', async (t) => {
  const shop = await Shop.open(t);
  const page = await (await visitor(t, { javaScript: true })).newPage();
  await page.goto(`${shop.address}/product/board`);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate('document.activeElement.textContent'), 'Skip to the content');
  await page.keyboard.press('Enter');
  const reached = [];
  for (let step = 0; step < 12; step += 1) {
    await page.keyboard.press('Tab');
    const what = await page.evaluate(() => {
      const { activeElement: element } = document;
      const { outlineStyle } = getComputedStyle(element);
      return { name: element.textContent.trim() || element.name, seen: outlineStyle !== 'none' };
    });
    assert.ok(what.seen, `where the focus is cannot be seen: ${what.name}`);
    reached.push(what.name);
    if (what.name === 'Add to cart') break;
  }
  assert.equal(reached.at(-1), 'Add to cart', reached.join(', '));
  await page.keyboard.press('Enter');
  await page.locator('#count', { hasText: /^1$/ }).waitFor();
});

test('with less motion asked for nothing is animated', async (t) => {
  const shop = await Shop.open(t);
  const page = await (await visitor(t, { javaScript: true, reducedMotion: 'reduce' })).newPage();
  await page.goto(`${shop.address}/product/board`);
  await page.locator('.buy').getByRole('button').click();
  await page.locator('.toast').waitFor();
  assert.equal(await page.evaluate('document.getAnimations().length'), 0);
});

test('nothing comes from another host, and the policy lets nothing in', async (t) => {
  const shop = await Shop.open(t);
  const page = await (await visitor(t, { javaScript: true })).newPage();
  const foreign = [];
  page.on('request', (request) => { if (!request.url().startsWith(shop.address)) foreign.push(request.url()); });
  const broken = [];
  page.on('console', (message) => { if (/Content Security Policy/.test(message.text())) broken.push(message.text()); });
  for (const path of PAGES) {
    const answer = await page.goto(`${shop.address}${path}`);
    assert.match(answer.headers()['content-security-policy'], /^default-src 'none'; script-src 'self'; style-src 'self'/);
  }
  assert.deepEqual([...foreign, ...broken], []);
});

test('a browser that refuses the cookie is told why and what to do', async (t) => {
  const shop = await Shop.open(t);
  for (const javaScript of [false, true]) {
    const context = await visitor(t, { javaScript });
    const page = await context.newPage();
    // Plain http under a name: a Secure cookie is not kept there.
    await page.goto(`http://shop.test:${new URL(shop.address).port}/product/board`);
    await page.locator('.buy').getByRole('button').click();
    await page.getByRole('alert').filter({ hasText: 'did not keep our cookie' }).waitFor();
  }
});
