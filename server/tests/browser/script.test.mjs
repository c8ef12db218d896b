// What only a script can do: numbers that follow at once, lost answers that count once, focus that stays, words that are heard.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PHONE, Shop, add, asVisitor, counts, inCart, visitor } from './shop.mjs';

const withScript = (t, more) => visitor(t, { javaScript: true, ...more });

test('a quantity and its sums show before the server answers', async (t) => {
  const shop = await Shop.open(t);
  const page = await (await withScript(t)).newPage();
  await add(page, shop, 'board');
  await page.goto(`${shop.address}/cart`);
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await page.route('**/cart/set', async (route) => { await held; await route.continue(); });
  await page.getByRole('button', { name: 'One Chopping board more' }).click();
  await page.getByRole('button', { name: 'One Chopping board more' }).click();
  await counts(page, 3);
  assert.equal(await page.locator('#subtotal').innerText(), '€84.00');
  assert.equal(await page.locator('.line-total').innerText(), '€84.00');
  release();
  await page.waitForResponse('**/cart/set');
  await page.reload();
  await counts(page, 3);
});

test('clicks in quick succession are one request', async (t) => {
  const shop = await Shop.open(t);
  const page = await (await withScript(t)).newPage();
  await add(page, shop, 'board');
  await page.goto(`${shop.address}/cart`);
  let requests = 0;
  page.on('request', (request) => { if (request.url().endsWith('/cart/set')) requests += 1; });
  const more = page.getByRole('button', { name: 'One Chopping board more' });
  for (let click = 0; click < 5; click += 1) await more.click({ delay: 0 });
  const answer = await page.waitForResponse('**/cart?at=*');
  assert.equal(answer.status(), 200);
  await counts(page, 6);
  assert.ok(requests <= 2, `${requests} requests for five clicks`);
});

test('a page that was asked for before a change does not lie over its answer', async (t) => {
  const shop = await Shop.open(t);
  const context = await withScript(t);
  const page = await context.newPage();
  await add(page, shop, 'board');
  await page.goto(`${shop.address}/cart`);
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  const asked = new Promise((resolve) => {
    page.route('**/cart', async (route) => {
      const older = await route.fetch();
      resolve();
      await held;
      await route.fulfill({ response: older });
    });
  });
  const headers = { ...await asVisitor(context, shop), 'Content-Type': 'application/json' };
  await fetch(`${shop.address}/v1/cart/lines`, { method: 'POST', headers, body: '{"sku": "mill"}' });
  await asked;
  await page.getByRole('button', { name: 'One Chopping board more' }).click();
  await counts(page, 3);
  const late = page.waitForResponse((response) => response.url().endsWith('/cart'));
  release();
  await (await late).finished();
  await page.evaluate(() => new Promise((resolve) => { setTimeout(resolve); }));
  await counts(page, 3);
});

test('an add whose answer is lost is sent again and counts once', async (t) => {
  const shop = await Shop.open(t);
  const context = await withScript(t);
  const page = await context.newPage();
  await add(page, shop, 'mill');
  await page.goto(`${shop.address}/product/board`);
  let lost = 0;
  await page.route('**/cart/add', async (route) => {
    if (lost < 1) {
      lost += 1;
      await route.fetch({ maxRedirects: 0 });
      await route.abort('connectionreset');
    } else {
      await route.continue();
    }
  });
  await page.locator('.buy').getByRole('button').click();
  await counts(page, 2);
  assert.equal(lost, 1);
});

test('the same button adds again, under a key of its own', async (t) => {
  const shop = await Shop.open(t);
  const page = await (await withScript(t)).newPage();
  await page.goto(`${shop.address}/product/board`);
  const button = page.locator('.buy').getByRole('button');
  for (const number of [1, 2, 3]) {
    await button.click();
    await counts(page, number);
  }
});

test('an add is told to who listens, and can be taken back from the message', async (t) => {
  const shop = await Shop.open(t);
  const page = await (await withScript(t, { viewport: PHONE })).newPage();
  await page.goto(`${shop.address}/product/board`);
  await page.locator('.buy').getByRole('button').click();
  await page.locator('#heard', { hasText: 'Added 1 × Chopping board' }).waitFor({ state: 'attached' });
  await page.locator('.toast').getByRole('button', { name: 'Undo' }).click();
  await counts(page, 0);
});

test('focus stays on the control that was used, and goes to the undo of a line that left', async (t) => {
  const shop = await Shop.open(t);
  const page = await (await withScript(t)).newPage();
  await add(page, shop, 'board');
  await page.goto(`${shop.address}/cart`);
  const more = page.getByRole('button', { name: 'One Chopping board more' });
  await more.focus();
  const answered = page.waitForResponse('**/cart?at=*');
  await page.keyboard.press('Enter');
  await answered;
  await page.getByText('Changed Chopping board from 1 to 2').first().waitFor();
  assert.match(await page.evaluate('document.activeElement.id'), /^more-/);
  await page.getByRole('button', { name: 'Remove Chopping board' }).focus();
  await page.keyboard.press('Enter');
  await counts(page, 0);
  await page.waitForFunction(() => document.activeElement.id === 'undo');
  await page.keyboard.press('Enter');
  await counts(page, 2);
});

test('a refusal is told and the page stays as the server has it', async (t) => {
  const shop = await Shop.open(t);
  const page = await (await withScript(t)).newPage();
  await add(page, shop, 'board');
  await page.goto(`${shop.address}/cart`);
  await page.getByRole('textbox', { name: 'Quantity of Chopping board' }).fill('10000');
  await page.getByRole('textbox', { name: 'Quantity of Chopping board' }).press('Enter');
  await page.locator('.toast', { hasText: 'at most 9999' }).waitFor();
  await counts(page, 1);
  assert.equal(await page.getByRole('textbox', { name: 'Quantity of Chopping board' }).inputValue(), '1');
});

test('the search page answers while one types', async (t) => {
  const shop = await Shop.open(t);
  const page = await (await withScript(t)).newPage();
  await page.goto(`${shop.address}/search`);
  await page.getByRole('searchbox').pressSequentially('teapot', { delay: 30 });
  await page.getByRole('heading', { name: '1 thing for “teapot”' }).waitFor();
  assert.match(page.url(), /q=teapot$/);
  assert.equal(await inCart(page), 0);
});

test('what another tab or app does shows here without a reload', async (t) => {
  const shop = await Shop.open(t);
  const context = await withScript(t);
  const here = await context.newPage();
  await add(here, shop, 'board');
  await here.goto(`${shop.address}/cart`);
  const headers = { ...(await asVisitor(context, shop)), 'Content-Type': 'application/json' };
  const body = JSON.stringify({ sku: 'mill', quantity: 2 });
  const answer = await fetch(`${shop.address}/v1/cart/lines`, { method: 'POST', headers, body });
  assert.equal(answer.status, 200);
  await counts(here, 3);
  await here.getByRole('link', { name: 'Pepper mill' }).waitFor();
  await here.locator('#heard', { hasText: 'changed elsewhere: 3' }).waitFor({ state: 'attached' });
});

test('a page that cannot be read when something happened elsewhere is read again', async (t) => {
  const shop = await Shop.open(t);
  const context = await withScript(t);
  const here = await context.newPage();
  await add(here, shop, 'board');
  await here.goto(`${shop.address}/cart`);
  const lost = [(route) => route.abort(), (route) => route.fulfill({ status: 503, body: '' })];
  await here.route(`${shop.address}/cart`, (route) => (lost.shift() ?? (() => route.continue()))(route));
  const headers = { ...(await asVisitor(context, shop)), 'Content-Type': 'application/json' };
  const body = JSON.stringify({ sku: 'mill', quantity: 2 });
  await fetch(`${shop.address}/v1/cart/lines`, { method: 'POST', headers, body });
  await counts(here, 3);
  assert.equal(lost.length, 0);
});

test('a stream that the server refused is asked for again', async (t) => {
  const shop = await Shop.open(t);
  const context = await withScript(t);
  const here = await context.newPage();
  await add(here, shop, 'board');
  await here.clock.install();
  const refusals = [503, 429, 503];
  let asked = 0;
  await here.route('**/v1/cart/events', (route) => {
    asked += 1;
    const status = refusals.shift();
    return status ? route.fulfill({ status, body: '' }) : route.continue();
  });
  const open = new Promise((resolve) => {
    here.on('response', (answer) => { if (answer.url().endsWith('/events') && answer.ok()) resolve(); });
  });
  await here.goto(`${shop.address}/cart`);
  for (let second = 0; asked < 4 && second < 600; second += 1) await here.clock.runFor(1000);
  assert.equal(asked, 4);
  await open;
});

test('a sign-in and a sign-out in one tab show in the other, whose stream comes back by itself', async (t) => {
  const shop = await Shop.open(t);
  const context = await withScript(t);
  const here = await context.newPage();
  const there = await context.newPage();
  await add(here, shop, 'board');
  await here.goto(`${shop.address}/cart`);
  await counts(here, 1);
  await there.goto(`${shop.address}/sign-up`);
  await there.getByLabel('E-mail address').fill('ann@example.com');
  await there.getByLabel('Password').fill('correct horse battery staple');
  await there.locator('main .main-button').click();
  await there.getByRole('link', { name: 'Account', exact: true }).waitFor();
  await here.getByRole('link', { name: 'Account', exact: true }).waitFor();
  await counts(here, 1);
  // The stream that came back is one of the account's cart: the page hears of what an app adds there.
  const cookie = (await context.cookies()).find(({ name }) => name === '__Host-trolley');
  const headers = { Cookie: `${cookie.name}=${cookie.value}`, Origin: shop.address, 'Content-Type': 'application/json' };
  const body = JSON.stringify({ sku: 'mill', quantity: 2 });
  const answer = await fetch(`${shop.address}/v1/cart/lines`, { method: 'POST', headers, body });
  assert.equal(answer.status, 200);
  await counts(here, 3);
  await there.goto(`${shop.address}/account`);
  await there.getByRole('button', { name: 'Sign out', exact: true }).click();
  await there.getByRole('banner').getByRole('link', { name: 'Sign in', exact: true }).waitFor();
  await here.getByRole('banner').getByRole('link', { name: 'Sign in', exact: true }).waitFor();
  await counts(here, 0);
});
