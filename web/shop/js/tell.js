// What is told: to the eye in a small message, to a screen reader in the live region.

let leaving;

/** Says it to who listens. The region is emptied first, so that the same words are said again. */
export function say(words) {
  const heard = document.getElementById('heard');
  heard.textContent = '';
  setTimeout(() => { heard.textContent = words; }, 60);
}

/** A message that goes by itself, but not while somebody is in it. */
export function toast(words, { link, undo } = {}) {
  document.querySelector('.toast')?.remove();
  clearTimeout(leaving);
  const box = document.createElement('div');
  box.className = 'toast';
  box.setAttribute('role', 'group');
  box.setAttribute('aria-label', 'Message');
  const text = document.createElement('span');
  text.textContent = words;
  box.append(text);
  if (undo) {
    const form = document.adoptNode(undo);
    form.dataset.stay = '';
    form.querySelector('button').className = '';
    form.addEventListener('submit', () => box.remove(), { once: true });
    box.append(form);
  }
  if (link) {
    const anchor = document.createElement('a');
    [anchor.href, anchor.textContent] = link;
    box.append(anchor);
  }
  document.body.append(box);
  say(words);
  const leave = () => {
    clearTimeout(leaving);
    leaving = setTimeout(() => {
      if (box.matches(':hover, :focus-within')) leave();
      else box.remove();
    }, 8000);
  };
  leave();
}
