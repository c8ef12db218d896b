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

/** How long the answer to a sign-in may take in another tab once its stream has ended here. */
const COOKIE_MS = 1000;

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
  if (source || again || document.hidden || !document.body.hasAttribute('data-live')) return;
  source = new EventSource('/v1/cart/events');
  source.addEventListener('open', () => { pause = REFUSED_MS.first; });
  source.addEventListener('cart', hear);
  source.addEventListener('error', refused);
  source.addEventListener('end', ended);
}

/**
 * The token that opened the stream is replaced by now, or its session is over: the page is read again at once, as the server shows
 * it now, and once more when the cookie of a sign-in that was still on its way is there. Where there is a cart to watch the stream
 * need not wait until it comes back by itself.
 */
function ended() {
  const read = () => refresh().then(comeBack, () => {});
  read();
  setTimeout(read, COOKIE_MS);
}

function comeBack() {
  if (source?.readyState !== EventSource.CONNECTING || !document.body.hasAttribute('data-live')) return;
  close();
  open();
}

function refused() {
  if (source?.readyState !== EventSource.CLOSED) return;
  close();
  // Perhaps nobody is signed in any more, which a refusal does not tell; the page does.
  if (pause === REFUSED_MS.first) refresh().catch(() => {});
  // Not all at the same moment: many pages were refused together.
  again = setTimeout(() => {
    again = undefined;
    open();
  }, pause * (0.75 + Math.random() / 2));
  pause = Math.min(pause * 2, REFUSED_MS.longest);
}

function close() {
  clearTimeout(again);
  again = undefined;
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
