// The real program and a real browser, for a test: started on a free port over a folder of its own, ended with the test.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const here = path.dirname(fileURLToPath(import.meta.url));
const program = process.env.TROLLEY ?? path.join(here, '../../../target/debug/trolley');

/** A shop that can be killed and started again over what it left. */
export class Shop {
  static async open(t) {
    const shop = new Shop();
    shop.folder = await mkdtemp(path.join(tmpdir(), 'trolley-browser-'));
    t.after(async () => {
      await shop.kill();
      await rm(shop.folder, { recursive: true, force: true });
    });
    await shop.start('127.0.0.1:0');
    return shop;
  }

  async start(listen) {
    const args = ['serve', '--demo', '--listen', listen, '--store', `file:${this.folder}/data`];
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

/** A browser without JavaScript, unless it is asked for. */
export async function visitor(t, { javaScript = false } = {}) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
  t.after(() => browser.close());
  return browser.newContext({ javaScriptEnabled: javaScript });
}
