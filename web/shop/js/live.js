// What happens to the cart elsewhere, shown here: the server's events, as long as the page is looked at.

import { named, refresh } from './page.js';
import { isResting } from './quantity.js';
import { settled } from './send.js';
import { say } from './tell.js';

/** How long to wait before a page that could not be read is read again: no other event may come for long. */
const PAUSES_MS = [0, 400, 1200, 3000, 10000];

/**
 * How long to wait before a server that refused the stream is asked again: it is full, or ends. Twice as long each time. A browser
 * comes back by itself only where a connection was lost; a refusal closes its stream for good.
 */
const REFUSED_MS = { first: 5000, longest: 80000 };

let source = null;
let pause = REFUSED_MS.first;
let again;

/** Whether the page shows the cart of that event, or a later one. */
function isShown(event) {
  const here = named(document.body.dataset.seen);
  const there = named(event.lastEventId);
  return here.cart === there.cart && there.revision <= here.revision;
}

async function hear(event) {
  let before;
  for (const pause of PAUSES_MS) {
    if (pause > 0) await new Promise((resolve) => { setTimeout(resolve, pause); });
    await settled();
    if (isResting() || isShown(event)) return;
    before = document.getElementById('count').textContent;
    if (await refresh().then(() => true, () => false)) break;
  }
  const after = document.getElementById('count').textContent;
  if (before !== after) say(`Your cart was changed elsewhere: ${after} in it now.`);
}

function open() {
  if (source || document.hidden || !document.body.hasAttribute('data-live')) return;
  source = new EventSource('/v1/cart/events');
  source.addEventListener('open', () => { pause = REFUSED_MS.first; });
  source.addEventListener('cart', hear);
  source.addEventListener('error', refused);
  source.addEventListener('end', () => {
    close();
    refresh().catch(() => {});
  });
}

function refused() {
  if (source?.readyState !== EventSource.CLOSED) return;
  close();
  // Not all at the same moment: many pages were refused together.
  again = setTimeout(open, pause * (0.75 + Math.random() / 2));
  pause = Math.min(pause * 2, REFUSED_MS.longest);
}

function close() {
  clearTimeout(again);
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
