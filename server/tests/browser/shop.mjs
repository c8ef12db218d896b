// The real program and a real browser, for a test: started on a free port over a folder of its own, ended with the test.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const here = path.dirname(fileURLToPath(import.meta.url));
const program = process.env.TROLLEY ?? path.join(here, '../../../target/debug/trolley');

/** A shop that can be killed and started again over what it left. */
export class Shop {
  static async open(t, ...settings) {
    const shop = new Shop();
    shop.settings = settings;
    shop.folder = await mkdtemp(path.join(tmpdir(), 'trolley-browser-'));
    t.after(async () => {
      await shop.kill();
      await rm(shop.folder, { recursive: true, force: true });
    });
    await shop.start('127.0.0.1:0');
    return shop;
  }

  async start(listen) {
    const args = ['serve', '--demo', '--listen', listen, '--store', `file:${this.folder}/data`, '--log', 'warn', ...this.settings];
    this.process = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: this.process.stdout });
    const [first] = await Promise.race([
      once(lines, 'line'),
      once(this.process, 'exit').then(([code]) => { throw new Error(`trolley ended with ${code}`); }),
    ]);
    this.address = first.replace(/^listening on /, '');
    this.listen = new URL(this.address).host;
  }

  /** SIGKILL: the plug is pulled from the process. */
  async kill() {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const gone = once(this.process, 'exit');
      this.process.kill('SIGKILL');
      await gone;
    }
  }

  /** The same folder, the same port: what the browser has open goes on. */
  async restart() {
    await this.kill();
    await this.start(this.listen);
  }
}

let browser;
after(() => browser?.close());

/** The two sizes that every walk is taken at. */
export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1280, height: 900 };

/** A visitor with a cookie jar of its own, and without JavaScript unless it is asked for. */
export async function visitor(t, { javaScript = false, viewport = DESKTOP, ...more } = {}) {
  browser ??= await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--host-resolver-rules=MAP shop.test 127.0.0.1'],
  });
  const context = await browser.newContext({ javaScriptEnabled: javaScript, viewport, reducedMotion: 'reduce', ...more });
  context.setDefaultTimeout(20_000);
  t.after(() => context.close());
  return context;
}

/** The headers by which a request beside the browser is the same visitor's. */
export async function asVisitor(context, shop) {
  const [{ name, value }] = await context.cookies();
  return { Cookie: `${name}=${value}`, Origin: shop.address };
}

/** What the head says is in the cart. */
export const inCart = (page) => page.locator('#count').innerText().then(Number);

/** Waits until the head says that so many are in the cart. */
export async function counts(page, number) {
  await page.locator('#count', { hasText: new RegExp(`^${number}$`) }).waitFor();
  assert.equal(await inCart(page), number);
}

/** Adds a product from its page, and waits for the answer. */
export async function add(page, shop, sku, { choose = {} } = {}) {
  await page.goto(`${shop.address}/product/${sku}`);
  for (const [option, value] of Object.entries(choose)) {
    await page.locator(`input[name="option.${option}"][value="${value}"]`).check({ force: true });
  }
  const before = await inCart(page);
  await page.locator('.buy').getByRole('button', { name: 'Add to cart' }).click();
  await counts(page, before + 1);
}
