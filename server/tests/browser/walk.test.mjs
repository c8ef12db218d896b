// The whole walk through the shop, on a phone and on a desktop, without JavaScript and with it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DESKTOP, PHONE, Shop, add, counts, inCart, visitor } from './shop.mjs';

const WAYS = [
  { way: 'on a phone, without JavaScript', viewport: PHONE, javaScript: false },
  { way: 'on a phone, with it', viewport: PHONE, javaScript: true },
  { way: 'on a desktop, without JavaScript', viewport: DESKTOP, javaScript: false },
  { way: 'on a desktop, with it', viewport: DESKTOP, javaScript: true },
];

const lines = (page) => page.locator('.cart .lines > li');
const subtotal = (page) => page.locator('#subtotal').innerText();

/** A test in each of the four ways; complains of what the browser's console complains of. */
function walk(name, steps) {
  for (const { way, ...how } of WAYS) {
    test(`${name}, ${way}`, async (t) => {
      const shop = await Shop.open(t);
      const context = await visitor(t, how);
      const page = await context.newPage();
      const complaints = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error' && !/status of (204|404|409|422|503)|ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY/.test(message.text())) complaints.push(message.text());
      });
      await steps({ t, shop, context, page, how });
      assert.deepEqual(complaints, []);
    });
  }
}

/** No page is wider than its window. */
async function fits(page) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]).catch(() => [0, 0]);
  assert.ok(content <= window, `${page.url()} is ${content} wide in ${window}`);
}

walk('a shopper finds, chooses and adds', async ({ shop, page, how }) => {
  await page.goto(`${shop.address}/`);
  assert.equal(await inCart(page), 0);
  await page.getByRole('link', { name: 'Wear', exact: true }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Wear' }).waitFor();
  await page.getByRole('searchbox').fill('enamel mug');
  await page.getByRole('searchbox').press('Enter');
  await page.getByRole('heading', { level: 1, name: '1 thing for “enamel mug”' }).waitFor();
  await page.getByRole('link', { name: 'Enamel mug', exact: true }).click();
  const blue = page.getByRole('img', { name: 'Enamel mug, blue' });
  const red = page.getByRole('img', { name: 'Enamel mug, red' });
  await blue.waitFor();
  await page.getByRole('radio', { name: 'red' }).click();
  await red.waitFor();
  assert.equal(await blue.isVisible(), false, 'the picture follows the colour, script or not');
  await page.getByLabel('How many').fill('2');
  await page.getByRole('button', { name: 'Add to cart' }).first().click();
  await counts(page, 2);
  if (how.javaScript) {
    assert.match(page.url(), /product\/mug$/, 'nobody is thrown off the page');
    await page.getByRole('link', { name: 'View cart' }).click();
  }
  assert.match(await lines(page).innerText(), /Enamel mug\s+colour: red/);
  assert.equal(await subtotal(page), '€25.00');
  if (how.javaScript) await fits(page);
});

walk('quantities go up, down and to a number', async ({ shop, page }) => {
  await add(page, shop, 'board');
  await page.goto(`${shop.address}/cart`);
  await page.getByRole('button', { name: 'One Chopping board more' }).click();
  await counts(page, 2);
  await page.getByRole('button', { name: 'One Chopping board more' }).click();
  await counts(page, 3);
  await page.getByRole('button', { name: 'One Chopping board fewer' }).click();
  await counts(page, 2);
  await page.getByRole('textbox', { name: 'Quantity of Chopping board' }).fill('7');
  await page.getByRole('textbox', { name: 'Quantity of Chopping board' }).press('Enter');
  await counts(page, 7);
  await page.locator('#subtotal', { hasText: '€196.00' }).waitFor();
  await page.reload();
  await counts(page, 7);
  assert.equal(await subtotal(page), '€196.00');
});

walk('what is removed can be taken back', async ({ shop, page }) => {
  await add(page, shop, 'board');
  await add(page, shop, 'mill');
  await page.goto(`${shop.address}/cart`);
  await page.getByRole('button', { name: 'Remove Chopping board' }).click();
  await counts(page, 1);
  await page.getByText('Removed Chopping board').first().waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await counts(page, 2);
  await page.getByRole('button', { name: 'Empty the cart' }).click();
  await counts(page, 0);
  await page.getByRole('heading', { name: 'There is nothing in it yet' }).waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await counts(page, 2);
});

walk('a line is saved for later, and comes back', async ({ shop, page }) => {
  await add(page, shop, 'lantern');
  await page.goto(`${shop.address}/cart`);
  await page.getByRole('button', { name: 'Save for later: Storm lantern' }).click();
  await counts(page, 0);
  const saved = page.getByRole('region', { name: 'Saved for later' });
  await saved.getByText('Storm lantern').first().waitFor();
  await saved.getByRole('button', { name: 'Move to cart' }).click();
  await counts(page, 1);
  await page.getByRole('button', { name: 'Save for later: Storm lantern' }).click();
  await saved.getByRole('button', { name: 'Remove' }).click();
  await saved.waitFor({ state: 'detached' });
});

walk('the history tells who did what, and undoes any of it', async ({ shop, page }) => {
  await add(page, shop, 'vase');
  await add(page, shop, 'mill');
  await page.goto(`${shop.address}/cart/history`);
  const first = page.locator('.changes > li').last();
  assert.match(await first.innerText(), /Added 1 × Round vase\s+just now, by you, in this browser/);
  await first.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('Took back a change of Round vase').first().waitFor();
  await page.goto(`${shop.address}/cart`);
  assert.match(await lines(page).innerText(), /Pepper mill/);
  assert.equal(await lines(page).count(), 1);
});

walk('a changed price and a short stock are told', async ({ shop, page }) => {
  await add(page, shop, 'stool');
  await page.goto(`${shop.address}/back-room`);
  await page.getByLabel('Price in € of Milking stool').fill('85');
  await page.getByLabel('In stock of Milking stool').fill('2');
  await page.getByRole('button', { name: 'Change Milking stool' }).click();
  await page.getByText('Milking stool was changed').first().waitFor();
  await page.goto(`${shop.address}/cart`);
  await page.getByText('Milking stool costs €85.00 now; it was €79.00.').waitFor();
  assert.equal(await subtotal(page), '€85.00');
  await page.getByRole('textbox', { name: 'Quantity of Milking stool' }).fill('5');
  await page.getByRole('textbox', { name: 'Quantity of Milking stool' }).press('Enter');
  await page.getByText('Only 2 of Milking stool left').waitFor();
  await counts(page, 5);
  await page.getByRole('button', { name: 'Take 2' }).click();
  await counts(page, 2);
  await page.getByText('Only 2 of Milking stool left').waitFor({ state: 'detached' });
});

walk('the server is killed in the middle, and nothing is missing', async ({ shop, page, how }) => {
  await add(page, shop, 'mug', { choose: { colour: 'sage' } });
  await page.goto(`${shop.address}/cart`);
  await shop.kill();
  if (how.javaScript) {
    const restarted = new Promise((resolve) => { setTimeout(resolve, 300); }).then(() => shop.start(shop.listen));
    const answered = page.waitForResponse('**/cart?at=*');
    await page.getByRole('button', { name: 'One Enamel mug more' }).click();
    await restarted;
    await answered;
  } else {
    await shop.start(shop.listen);
    await page.getByRole('button', { name: 'One Enamel mug more' }).click();
  }
  await counts(page, 2);
  await page.reload();
  await counts(page, 2);
});

walk('an order is placed by what was shown, and comes back when its payment fails', async ({ shop, page }) => {
  await add(page, shop, 'board');
  await add(page, shop, 'stool');
  await page.goto(`${shop.address}/cart`);
  await page.getByRole('link', { name: 'Check out' }).click();
  const other = await page.context().newPage();
  await add(other, shop, 'mill');
  await other.close();
  await page.getByRole('heading', { name: 'Check out' }).waitFor();
  await page.locator('#place').click();
  if (await page.getByRole('heading', { name: 'Thank you!' }).isVisible().catch(() => false) === false) {
    await page.getByText('Your cart was changed while you looked').first().or(page.getByRole('heading', { name: 'Thank you!' })).first().waitFor();
  }
  if (await page.locator('#place').isVisible()) {
    await page.locator('#total', { hasText: '€141.00' }).waitFor();
    await page.locator('#place').click();
  }
  await page.getByRole('heading', { name: 'Thank you!' }).waitFor();
  await counts(page, 0);
  assert.match(await page.locator('.receipt').innerText(), /€141.00/);
  await page.getByRole('button', { name: 'Let the payment fail' }).click();
  await page.getByRole('heading', { name: 'This order is off' }).waitFor();
  await counts(page, 3);
  await page.getByRole('link', { name: 'All your orders' }).click();
  await page.getByText('called off').waitFor();
});

walk('a cart comes along at a sign-up, waits, and is merged at the next sign-in', async ({ shop, page, context, how }) => {
  const password = 'three small boats';
  const sign = async (tab, to) => {
    await tab.goto(`${shop.address}${to}`);
    await tab.getByLabel('E-mail address').fill('ann@example.com');
    await tab.getByLabel('Password').fill(password);
    await tab.locator('main .main-button').click();
  };
  await add(page, shop, 'board');
  await sign(page, '/sign-up');
  await page.getByRole('link', { name: 'Account', exact: true }).waitFor();
  await counts(page, 1);
  await page.goto(`${shop.address}/account`);
  await page.getByText('ann@example.com').waitFor();
  await page.getByText('(this one)').waitFor();
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.getByRole('link', { name: 'Sign in', exact: true }).waitFor();
  await counts(page, 0);
  await page.goto(`${shop.address}/cart`);
  await page.getByText('Your cart waits in your account').waitFor();
  await add(page, shop, 'mill');
  await sign(page, '/sign-in');
  await counts(page, 2);
  await page.getByText('came in at a sign-in: Pepper mill').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await counts(page, 1);
  if (how.javaScript) await fits(page);
  assert.deepEqual((await context.cookies()).map(({ httpOnly, secure }) => httpOnly && secure), [true, true]);
});
