// One page laid over another: what is new comes in, and whoever was somewhere in it is still there.

/** Shows what came as the page at `url`. */
export function apply(page, url) {
  const before = new URL(location.href);
  const after = new URL(url, before);
  // What a change did is told once; the address one might keep is the cart's own.
  after.searchParams.delete('at');
  after.searchParams.delete('check');
  if (after.href !== before.href) {
    history[after.pathname === before.pathname ? 'replaceState' : 'pushState']({}, '', after);
  }
  lay(page, after.pathname !== before.pathname);
}

/** The cart and revision that a tag or an event's id names. */
export function named(text) {
  const [cart, revision] = text.replaceAll('"', '').split('.');
  return { cart, revision: Number(revision) };
}

/** Whether a page was rendered from an older state of the cart than the one that is shown. */
function isOlder(page) {
  const [there, here] = [page, document].map(({ body }) => named(body.dataset.seen ?? ''));
  return there.cart === here.cart && there.revision < here.revision;
}

/** Reads this page anew and shows what came; fails where nothing can be read. */
export async function refresh() {
  const here = location.href;
  const response = await fetch(here, { credentials: 'same-origin' });
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  // Whoever went on meanwhile is not called back.
  if (location.href !== here) return;
  if (!response.ok) throw new Error('no page');
  // A change that was answered meanwhile is newer than what was asked for before it.
  if (isOlder(page)) return;
  if (response.redirected) apply(page, response.url);
  else lay(page, false);
}

function lay(page, isAnother) {
  document.title = page.title;
  document.body.dataset.seen = page.body.dataset.seen;
  document.body.toggleAttribute('data-live', page.body.hasAttribute('data-live'));
  styles(page);
  const focused = document.activeElement;
  const place = focused && focused.closest('main') ? { id: focused.id, index: lineIndex(focused) } : null;
  for (const part of ['main', '.head-row', '.aisles']) {
    const old = document.querySelector(part);
    const fresh = page.querySelector(part);
    if (old && fresh && !old.isEqualNode(fresh) && !(part === '.head-row' && old.contains(focused))) {
      old.replaceWith(document.adoptNode(fresh));
    } else if (part === '.head-row') {
      document.getElementById('count').textContent = page.getElementById('count').textContent;
    }
  }
  const wanted = document.querySelector('main [autofocus]');
  if (wanted) {
    wanted.focus();
  } else if (isAnother) {
    scrollTo(0, 0);
    document.getElementById('main').focus({ preventScroll: true });
  } else if (place) {
    back(place);
  }
  document.dispatchEvent(new Event('trolley:changed'));
}

/** The style of the page that came, where this one did not need it. */
function styles(page) {
  for (const link of page.querySelectorAll('link[rel="stylesheet"]')) {
    const href = link.getAttribute('href');
    if (![...document.querySelectorAll('link[rel="stylesheet"]')].some((known) => known.getAttribute('href') === href)) {
      document.head.append(document.adoptNode(link));
    }
  }
}

function lineIndex(element) {
  const line = element.closest('.lines > li');
  return line ? [...line.parentElement.children].indexOf(line) : -1;
}

/** The same control, or where it went with its line the line that took its place, or the page's head. */
function back({ id, index }) {
  const same = id && document.getElementById(id);
  if (same) {
    same.focus({ preventScroll: true });
    return;
  }
  const undo = document.getElementById('undo');
  const line = index >= 0 && document.querySelectorAll('.lines > li')[index];
  const next = undo ?? (line && line.querySelector('a, button')) ?? document.getElementById('main');
  (next || document.getElementById('main')).focus({ preventScroll: true });
}
