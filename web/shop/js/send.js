// Forms, sent in the background: the same fields to the same address, and the page that comes back is laid over this one.

import { apply, refresh } from './page.js';
import { say, toast } from './tell.js';

const PAUSES_MS = [400, 1200, 3000];

/** Changes that are not answered and shown yet: live updates wait for them. */
let under_way = 0;
const waiting = [];

/** Resolves when no change is under way. */
export function settled() {
  return under_way === 0 ? Promise.resolve() : new Promise((resolve) => { waiting.push(resolve); });
}

/** A key of its own for a change: by it a request that is sent again counts once. */
export function freshKey() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The fields of a form as the browser would send them, what the page shows now, and a fresh key. */
export function fieldsOf(form, submitter) {
  const fields = new URLSearchParams(new FormData(form, submitter));
  if (fields.has('key')) fields.set('key', freshKey());
  if (fields.has('seen')) fields.set('seen', document.body.dataset.seen);
  return fields;
}

/** Sends a change; where the answer is lost it is sent again under its key. Gives back the page that came, and its address. */
async function send(address, fields) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const response = await fetch(address, { method: 'POST', body: fields, credentials: 'same-origin' });
      if (response.status === 503 && attempt < PAUSES_MS.length) throw new Error('busy');
      const text = await response.text();
      return { ok: response.ok, url: response.url, page: new DOMParser().parseFromString(text, 'text/html') };
    } catch (error) {
      if (attempt >= PAUSES_MS.length) throw error;
      if (attempt === 1) say('Still trying.');
      await new Promise((resolve) => { setTimeout(resolve, PAUSES_MS[attempt]); });
    }
  }
}

/**
 * What a form did, shown: in place where it says so, else as the page that the browser would have gone to. While `holds` says so
 * the page is ahead of the answer, and stays as it is.
 */
export async function submit(form, submitter, { fields = fieldsOf(form, submitter), holds = () => false } = {}) {
  under_way += 1;
  try {
    await carry(form, submitter, fields, holds);
  } finally {
    under_way -= 1;
    if (under_way === 0) waiting.splice(0).forEach((resolve) => resolve());
  }
}

async function carry(form, submitter, fields, holds) {
  const address = submitter?.getAttribute('formaction') ?? form.getAttribute('action');
  let answer;
  try {
    answer = await send(address, fields);
  } catch {
    await refresh().catch(() => {});
    toast('The shop does not answer. Nothing more was changed; try again in a moment.');
    return;
  }
  const { page, url, ok } = answer;
  if (page.querySelector('[data-cookie-missing]')) {
    location.assign(url);
    return;
  }
  const refused = page.querySelector('[data-refused] p');
  if (!ok && refused) {
    await refresh().catch(() => {});
    toast(refused.textContent.trim());
    return;
  }
  if (holds()) {
    document.body.dataset.seen = page.body.dataset.seen;
  } else if (form.dataset.stay === undefined) {
    apply(page, url);
    const flash = page.querySelector('[data-flash] p');
    if (flash) say(flash.textContent.trim());
  } else {
    stay(page);
  }
}

/** The page stays; its head counts, and a small message says what happened. */
function stay(page) {
  document.body.dataset.seen = page.body.dataset.seen;
  document.body.toggleAttribute('data-live', page.body.hasAttribute('data-live'));
  document.getElementById('count').textContent = page.getElementById('count').textContent;
  document.dispatchEvent(new Event('trolley:changed'));
  const flash = page.querySelector('[data-flash]');
  toast(flash?.querySelector('p').textContent.trim() ?? 'Done.', {
    link: ['/cart', 'View cart'],
    undo: flash?.querySelector('form'),
  });
}

/** Takes over every form that posts. A form that must leave the page says `data-leave`. */
export function forms() {
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== 'post' || form.dataset.leave !== undefined) return;
    event.preventDefault();
    if (form.dataset.sending !== undefined) return;
    form.dataset.sending = '';
    const busy = document.createElement('div');
    busy.className = 'busy';
    document.body.append(busy);
    submit(form, event.submitter).finally(() => {
      delete form.dataset.sending;
      busy.remove();
    });
  });
}
