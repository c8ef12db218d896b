// A guest's cart as a browser shows it; without JavaScript where a test does not need it to look behind the page.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { test } from 'node:test';
import { Shop, add, asVisitor, counts, inCart, visitor } from './shop.mjs';

test('a cart is there after the server was killed', async (t) => {
  const shop = await Shop.open(t);
  const page = await (await visitor(t)).newPage();
  await add(page, shop, 'board');
  await add(page, shop, 'board');
  await shop.restart();
  await page.reload();
  assert.equal(await inCart(page), 2);
});

test('a form that is sent twice counts once', async (t) => {
  const shop = await Shop.open(t);
  const context = await visitor(t);
  const page = await context.newPage();
  await add(page, shop, 'board');
  await page.goto(`${shop.address}/product/board`);
  const form = {};
  for (const input of await page.locator('.detail form input').all()) {
    form[await input.getAttribute('name')] = await input.getAttribute('value');
  }
  const headers = await asVisitor(context, shop);
  for (let sent = 0; sent < 2; sent += 1) {
    const answer = await fetch(`${shop.address}/cart/add`, {
      method: 'POST', headers, body: new URLSearchParams(form), redirect: 'manual',
    });
    assert.equal(answer.status, 303);
  }
  await page.goto(`${shop.address}/cart`);
  assert.equal(await inCart(page), 2);
});

test('two tabs that act on the same page both count', async (t) => {
  const shop = await Shop.open(t);
  const context = await visitor(t);
  const one = await context.newPage();
  await add(one, shop, 'board');
  const other = await context.newPage();
  for (const tab of [one, other]) await tab.goto(`${shop.address}/product/board`);
  for (const tab of [one, other]) await tab.locator('.buy').getByRole('button').click();
  await counts(other, 3);
});

test('a tab that removes what it sees leaves what another tab added since', async (t) => {
  const shop = await Shop.open(t);
  const context = await visitor(t);
  const stale = await context.newPage();
  await add(stale, shop, 'board');
  const fresh = await context.newPage();
  await add(fresh, shop, 'board');
  await stale.getByRole('button', { name: 'Remove' }).click();
  await counts(stale, 1);
});

test('the cookie is for this host alone, and a page that only looks sets none', async (t) => {
  const shop = await Shop.open(t);
  const context = await visitor(t, { javaScript: true });
  const page = await context.newPage();
  await page.goto(`${shop.address}/`);
  assert.deepEqual(await context.cookies(), []);
  await add(page, shop, 'board');
  const cookies = await context.cookies();
  assert.equal(cookies.length, 1);
  const [{ name, secure, httpOnly, sameSite, path, value }] = cookies;
  assert.deepEqual(
    { name, secure, httpOnly, sameSite, path },
    { name: '__Host-trolley', secure: true, httpOnly: true, sameSite: 'Lax', path: '/' },
  );
  assert.match(value, /^[A-Za-z0-9_-]{43}$/);
  assert.equal(await page.evaluate('document.cookie'), '', 'scripts do not see it');
});

test('a form on another site changes nothing', async (t) => {
  const shop = await Shop.open(t);
  const context = await visitor(t, { javaScript: true });
  const page = await context.newPage();
  await add(page, shop, 'board');
  // To a browser localhost and 127.0.0.1 are two sites.
  const evil = createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<form method="post" action="${shop.address}/cart/clear"><button>Win a prize</button></form>`);
  }).listen(0, '127.0.0.1');
  t.after(() => evil.close());
  await once(evil, 'listening');
  await page.goto(`http://localhost:${evil.address().port}/`);
  const [answer] = await Promise.all([
    page.waitForResponse('**/cart/clear'),
    page.getByRole('button', { name: 'Win a prize' }).click(),
  ]);
  assert.equal(answer.status(), 403);
  await page.goto(`${shop.address}/cart`);
  assert.equal(await inCart(page), 1);
});

test('what was written into a cart is shown as text', async (t) => {
  const shop = await Shop.open(t);
  const context = await visitor(t, { javaScript: true });
  const page = await context.newPage();
  await add(page, shop, 'board');
  const words = '<img src=x onerror=alert(1)>"\'&';
  const headers = { ...(await asVisitor(context, shop)), 'Content-Type': 'application/json' };
  const answer = await fetch(`${shop.address}/v1/cart/lines`, {
    method: 'POST', headers, body: JSON.stringify({ sku: 'mug', options: { [words]: words } }),
  });
  assert.equal(answer.status, 200);
  let spoke = false;
  page.on('dialog', (dialog) => {
    spoke = true;
    return dialog.dismiss();
  });
  await page.goto(`${shop.address}/cart`);
  assert.equal(await page.locator('.lines > li').count(), 2);
  assert.equal(await page.locator('.lines .what p').nth(1).innerText(), `${words}: ${words}`);
  assert.equal(await page.locator('.lines .what img').count(), 0);
  await page.goto(`${shop.address}/cart/history`);
  assert.equal(await page.locator('.changes img').count(), 0);
  assert.equal(spoke, false);
});
