// Looks again every two seconds and puts in what has changed, without closing what the reader has opened.
const EVERY = 2000;
let shown = document.querySelector('#live')?.innerHTML;

async function refresh() {
  const response = await fetch('/', { headers: { accept: 'text/html' } });
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html').querySelector('#live');
  const current = document.querySelector('#live');
  if (!fresh || !current || fresh.innerHTML === shown) return;
  shown = fresh.innerHTML;
  for (const details of current.querySelectorAll('details[open]')) {
    fresh.querySelector(`details[data-key="${CSS.escape(details.dataset.key)}"]`)?.setAttribute('open', '');
  }
  current.replaceWith(fresh);
}

// A sandbox that is being restarted is asked again later.
setInterval(() => document.hidden || refresh().catch(() => {}), EVERY);
