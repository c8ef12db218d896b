// Quantities: the number, its line's total and the sum follow the finger at once; the server is told when it rests.

import { submit } from './send.js';

const REST_MS = 350;

/** Lines whose number the server does not know yet. */
const resting = new Map();

/** One number after the other, so that the last one stands in the end. */
let sent = Promise.resolve();

function euros(amount) {
  return `€${(amount / 100).toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

function whole(text) {
  return /^\d{1,5}$/.test(text.trim()) ? Number(text) : null;
}

/** Shows what the sums would be, from what the page shows of prices. The server's answer replaces it. */
function sum() {
  let things = 0;
  let amount = 0;
  for (const line of document.querySelectorAll('.cart .lines > li')) {
    const quantity = whole(line.querySelector('.stepper [name="quantity"]').value) ?? 0;
    const unit = Number(line.dataset.unit);
    things += quantity;
    amount += quantity * unit;
    if (unit > 0) line.querySelector('.line-total').textContent = euros(quantity * unit);
    line.classList.toggle('leaving', quantity === 0);
  }
  const subtotal = document.getElementById('subtotal');
  if (subtotal?.textContent.startsWith('€')) subtotal.textContent = euros(amount);
  document.getElementById('things').textContent = things;
  document.getElementById('count').textContent = things;
}

function later(line) {
  clearTimeout(resting.get(line.id));
  resting.set(line.id, setTimeout(() => {
    sent = sent.then(() => {
      resting.delete(line.id);
      // The page may be another by now; the number on it is the one that is meant.
      const form = document.getElementById(line.id.replace('line-', 'set-'));
      return form ? submit(form, undefined, { holds: isResting }) : undefined;
    });
  }, REST_MS));
}

/** Takes over the steppers of the cart. */
export function steppers() {
  document.addEventListener('click', (event) => {
    const button = event.target.closest?.('[data-step]');
    if (!button) return;
    event.preventDefault();
    const line = button.closest('li');
    const input = line.querySelector('.stepper [name="quantity"]');
    const now = whole(input.value) ?? whole(input.defaultValue) ?? 0;
    input.value = Math.max(0, now + Number(button.dataset.step));
    sum();
    later(line);
  });
  document.addEventListener('change', (event) => {
    const line = event.target.closest?.('.stepper') && event.target.closest('li');
    if (!line || whole(event.target.value) === null) return;
    sum();
    later(line);
  });
}

/** Whether a number on this page is still on its way. */
export function isResting() {
  return resting.size > 0;
}
