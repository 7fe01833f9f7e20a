/*
 * Keys of the pages of parked and dead calls: rows by j and k, and what elements name as `data-key`. They work while no field
 * has the focus, and can be switched off (WCAG 2.2, 2.1.4). Everything that they do has a button or a link.
 */
const OFF = 'wrapup-keys-off';
const help = document.querySelector('details.keys');
const box = help?.querySelector('input[name="keys"]');
const rows = [...document.querySelectorAll('[data-row]')];
const isOn = () => localStorage.getItem(OFF) === null;

if (help && box) {
  help.hidden = false;
  box.checked = isOn();
  box.addEventListener('change', () => {
    if (box.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, '1');
  });
}

const rowInFocus = () => rows.findIndex((row) => row.contains(document.activeElement));

function move(by) {
  const at = rowInFocus();
  const to = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by));
  rows[to]?.querySelector('a')?.focus();
}

/** Presses what a key stands for; where it asks for something first, opens that. */
function press(element) {
  const target = element.matches('a, button') ? element : element.querySelector('summary, button');
  if (target?.tagName !== 'SUMMARY') return target?.click();
  target.parentElement.open = true;
  target.parentElement.querySelector('input:not([type="hidden"])')?.focus();
}

addEventListener('keydown', (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (key === 'Escape' && target.closest?.('details.drop')) {
    const drop = target.closest('details.drop');
    drop.open = false;
    drop.querySelector('summary').focus();
    return;
  }
  if (target.matches?.('input:not([type="checkbox"]), select, textarea') || !isOn()) return;
  if (key === '?' && help) {
    help.open = true;
    help.querySelector('summary').focus();
  } else if (key === 'j' || (key === 'ArrowDown' && rowInFocus() >= 0)) move(1);
  else if (key === 'k' || (key === 'ArrowUp' && rowInFocus() >= 0)) move(-1);
  else {
    const scope = rows.length > 0 ? rows[rowInFocus()] : document.querySelector('[data-keys]');
    const element = /^[\w]$/.test(key) && scope?.querySelector(`[data-key="${key}"]`);
    if (!element) return;
    press(element);
  }
  event.preventDefault();
});
