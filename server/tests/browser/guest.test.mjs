// A guest's cart as a browser shows it; without JavaScript where a test does not need it to look behind the page.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { test } from 'node:test';
import { Shop, asVisitor, visitor } from './shop.mjs';

const first = (page) => page.locator('.products li').first();
const inCart = (page) => page.locator('header .count').innerText().then(Number);

async function addFirst(page, shop) {
  await page.goto(`${shop.address}/`);
  await first(page).getByRole('button', { name: 'Add to cart' }).click();
  await page.waitForURL('**/cart**');
}

test('a guest without JavaScript fills a cart and changes it', async (t) => {
  const shop = await Shop.open(t);
  const page = await (await visitor(t)).newPage();
  await page.goto(`${shop.address}/`);
  const title = await first(page).locator('h2').innerText();
  assert.equal(await inCart(page), 0);

  await addFirst(page, shop);
  await addFirst(page, shop);
  assert.equal(await inCart(page), 2);
  await page.getByRole('button', { name: `One ${title} more` }).click();
  assert.equal(await inCart(page), 3);
  await page.getByRole('button', { name: `One ${title} fewer` }).click();
  assert.equal(await inCart(page), 2);
  await page.getByLabel(`Quantity of ${title}`).fill('7');
  await page.getByRole('button', { name: 'Set', exact: true }).click();
  assert.equal(await inCart(page), 7);
  await page.getByRole('button', { name: 'Remove' }).click();
  assert.equal(await inCart(page), 0);
});

test('a cart is there after the server was killed', async (t) => {
  const shop = await Shop.open(t);
  const page = await (await visitor(t)).newPage();
  await addFirst(page, shop);
  await addFirst(page, shop);
  await shop.restart();
  await page.reload();
  assert.equal(await inCart(page), 2);
});

test('a form that is sent twice counts once', async (t) => {
  const shop = await Shop.open(t);
  const context = await visitor(t);
  const page = await context.newPage();
  await addFirst(page, shop);
  await page.goto(`${shop.address}/`);
  const form = {};
  for (const input of await first(page).locator('form input').all()) {
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
  await addFirst(one, shop);
  const other = await context.newPage();
  await one.goto(`${shop.address}/`);
  await other.goto(`${shop.address}/`);
  await first(one).getByRole('button', { name: 'Add to cart' }).click();
  await first(other).getByRole('button', { name: 'Add to cart' }).click();
  await other.waitForURL('**/cart**');
  assert.equal(await inCart(other), 3);
});

test('a tab that removes what it sees leaves what another tab added since', async (t) => {
  const shop = await Shop.open(t);
  const context = await visitor(t);
  const stale = await context.newPage();
  await addFirst(stale, shop);
  const fresh = await context.newPage();
  await addFirst(fresh, shop);
  await stale.getByRole('button', { name: 'Remove' }).click();
  assert.equal(await inCart(stale), 1);
});

test('the cookie is for this host alone, and a page that only looks sets none', async (t) => {
  const shop = await Shop.open(t);
  const context = await visitor(t, { javaScript: true });
  const page = await context.newPage();
  await page.goto(`${shop.address}/`);
  assert.deepEqual(await context.cookies(), []);
  await addFirst(page, shop);
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
  await addFirst(page, shop);
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
  await addFirst(page, shop);
  const note = '<img src=x onerror=alert(1)>"\'&';
  const headers = { ...(await asVisitor(context, shop)), 'Content-Type': 'application/json' };
  const answer = await fetch(`${shop.address}/v1/cart/lines`, {
    method: 'POST', headers, body: JSON.stringify({ sku: 'mug-blue', options: { note } }),
  });
  assert.equal(answer.status, 200);
  let spoke = false;
  page.on('dialog', (dialog) => {
    spoke = true;
    return dialog.dismiss();
  });
  await page.goto(`${shop.address}/cart`);
  assert.equal(await page.locator('.lines li').count(), 2);
  assert.equal(await page.locator('.lines .what p').first().innerText(), `note: ${note}`);
  assert.equal(await page.locator('.lines img').count(), 0);
  assert.equal(spoke, false);
});
