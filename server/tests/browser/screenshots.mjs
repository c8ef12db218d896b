// Takes the pictures of the demo shop that the papers show, into the folder that is named. `docs/screenshots` calls it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const [program, into] = process.argv.slice(2);
const folder = await mkdtemp(path.join(tmpdir(), 'trolley-screenshots-'));
const server = spawn(program, ['serve', '--demo', '--listen', '127.0.0.1:0', '--store', `file:${folder}/data`, '--log', 'warn'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const [first] = await once(createInterface({ input: server.stdout }), 'line');
const shop = first.replace(/^listening on /, '');
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });

async function visitor(viewport, colorScheme) {
  const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce' });
  return context.newPage();
}

async function add(page, sku, choose = {}) {
  await page.goto(`${shop}/product/${sku}`);
  for (const [option, value] of Object.entries(choose)) {
    await page.locator(`input[name="option.${option}"][value="${value}"]`).check({ force: true });
  }
  await page.locator('.buy').getByRole('button').click();
  await page.locator('.toast').waitFor();
}

async function relabel(page, title, price, stock) {
  await page.goto(`${shop}/back-room`);
  await page.getByLabel(`Price in € of ${title}`).fill(price);
  await page.getByLabel(`In stock of ${title}`).fill(stock);
  await page.getByRole('button', { name: `Change ${title}` }).click();
  await page.getByText(`${title} was changed`).first().waitFor();
}

async function take(page, name, options = {}) {
  await page.mouse.move(0, 0);
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: path.join(into, `${name}.png`), ...options });
}

/** A cart that has seen something. */
async function busy(page) {
  await add(page, 'mug', { colour: 'red' });
  await add(page, 'tee', { colour: 'sky', size: 'L' });
  await add(page, 'stool');
  await add(page, 'lantern');
  await relabel(page, 'Milking stool', '85', '6');
  await page.goto(`${shop}/cart`);
  await page.getByRole('button', { name: 'Save for later: Storm lantern' }).click();
  await page.getByRole('region', { name: 'Saved for later' }).waitFor();
  await relabel(page, 'Milking stool', '89', '6');
  await page.goto(`${shop}/cart`);
}

try {
  const desktop = { width: 1200, height: 780 };
  const phone = { width: 390, height: 780 };
  const light = await visitor(desktop, 'light');
  await light.goto(shop);
  await take(light, 'shop-home');
  await light.goto(`${shop}/product/teapot`);
  await take(light, 'shop-product');
  await busy(light);
  await take(light, 'shop-cart');
  await light.goto(`${shop}/cart/history`);
  await take(light, 'shop-history');
  const dark = await visitor(desktop, 'dark');
  await dark.goto(`${shop}/aisle/outdoors`);
  await take(dark, 'shop-aisle-dark');
  await light.goto(`${shop}/sign-up`);
  await light.getByLabel('E-mail address').fill('ann@example.com');
  await light.getByLabel('Password').fill('three small boats');
  await light.locator('main .main-button').click();
  await light.getByRole('link', { name: 'Account', exact: true }).waitFor();
  await light.goto(`${shop}/account`);
  await take(light, 'shop-account');
  const small = await visitor(phone, 'dark');
  await busy(small);
  await take(small, 'shop-cart-phone');
  const pocket = await visitor(phone, 'light');
  await pocket.goto(shop);
  await take(pocket, 'shop-home-phone');
} finally {
  await browser.close();
  server.kill('SIGTERM');
  await rm(folder, { recursive: true, force: true });
}
