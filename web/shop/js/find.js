// The search page answers while one types.

import { say } from './tell.js';

const REST_MS = 180;

/** Takes over the field where its answers are on this page. */
export function find() {
  let resting;
  let asked = 0;
  document.addEventListener('input', (event) => {
    const field = event.target;
    if (field.name !== 'q' || !document.getElementById('found')) return;
    clearTimeout(resting);
    resting = setTimeout(async () => {
      const address = `/search?q=${encodeURIComponent(field.value)}`;
      asked += 1;
      const mine = asked;
      const response = await fetch(address, { credentials: 'same-origin' }).catch(() => null);
      if (!response?.ok || mine !== asked) return;
      const page = new DOMParser().parseFromString(await response.text(), 'text/html');
      const found = page.getElementById('found');
      const old = document.getElementById('found');
      if (!found || !old) return;
      old.replaceWith(document.adoptNode(found));
      document.title = page.title;
      history.replaceState({}, '', address);
      say(document.querySelector('#found h1').textContent);
    }, REST_MS);
  });
}
