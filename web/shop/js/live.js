// What happens to the cart elsewhere, shown here: the server's events, as long as the page is looked at.

import { named, refresh } from './page.js';
import { isResting } from './quantity.js';
import { settled } from './send.js';
import { say } from './tell.js';

let source = null;

async function hear(event) {
  await settled();
  if (isResting()) return;
  const here = named(document.body.dataset.seen);
  const there = named(event.lastEventId);
  if (here.cart === there.cart && there.revision <= here.revision) return;
  const before = document.getElementById('count').textContent;
  await refresh().catch(() => {});
  const after = document.getElementById('count').textContent;
  if (before !== after) say(`Your cart was changed elsewhere: ${after} in it now.`);
}

function open() {
  if (source || document.hidden || !document.body.hasAttribute('data-live')) return;
  source = new EventSource('/v1/cart/events');
  source.addEventListener('cart', hear);
  source.addEventListener('end', () => {
    close();
    refresh().catch(() => {});
  });
}

function close() {
  source?.close();
  source = null;
}

/** Listens while the page is looked at, once there is a cart. */
export function live() {
  open();
  document.addEventListener('trolley:changed', open);
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) close();
    else open();
  });
  addEventListener('pagehide', close);
  addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    refresh().catch(() => {});
    open();
  });
}
