/*
 * Pages move while one looks. The server says that something has moved; the page is then read again, as it is made for everyone,
 * and what differs is put in place. Focus, scroll, what is typed, what is open and what is selected stay. New rows of a list are
 * announced above it instead of pushing the others down. While the tab is hidden nothing is asked.
 */
const AGAIN_MS = 30_000;
const SPEAK_MS = 20_000;
const main = document.querySelector('#main');
const address = document.querySelector('#live-at')?.href;
let source;
let mark;
let isReading = false;
/** Something has moved that is not shown yet. */
let isDue = false;

function listen() {
  if (!address || source || document.hidden) return;
  source = new EventSource(address);
  source.onmessage = ({ data }) => hear(JSON.parse(data));
  // It comes again by itself after each end, but not once it was refused.
  source.onerror = () => {
    if (source?.readyState !== EventSource.CLOSED) return;
    source = undefined;
    setTimeout(listen, AGAIN_MS);
  };
}

function hear({ mark: now, ...counts }) {
  for (const [name, count] of Object.entries(counts)) showCount(name, count);
  // What a call on its way has become since its page was made is not known here.
  const isNews = mark === undefined ? main.dataset.live === 'call' : mark !== now;
  mark = now;
  if (isNews) read();
}

function showCount(name, count) {
  const entry = [...document.querySelectorAll('header nav a')].find(({ pathname }) => pathname === `/${name}`);
  if (!entry) return;
  let shown = entry.querySelector('.count');
  if (!shown) {
    shown = document.createElement('span');
    shown.className = 'count';
    entry.append(' ', shown);
  }
  const text = count > 0 ? count.toLocaleString('en') : '';
  if (shown.textContent === text) return;
  if (mark !== undefined) speak(`${entry.firstChild.data.trim()}: ${count}`);
  shown.textContent = text;
}

const status = document.createElement('p');
status.className = 'hidden';
status.setAttribute('role', 'status');
main.before(status);
let toSay = '';
let spoke = 0;
let isWaiting = false;
/** To those who hear the page: the latest only, and not more often than they can listen to it. */
function speak(text) {
  toSay = text;
  if (isWaiting) return;
  isWaiting = true;
  const say = () => {
    isWaiting = false;
    spoke = Date.now();
    status.textContent = toSay;
  };
  setTimeout(say, Math.max(0, spoke + SPEAK_MS - Date.now()));
}

const isSelecting = () => {
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed && main.contains(selection.anchorNode);
};

async function read() {
  if (!main.dataset.live) return;
  isDue = true;
  if (isReading || document.hidden || isSelecting()) return;
  isReading = true;
  while (isDue) {
    isDue = false;
    await readOnce().catch(() => {});
  }
  isReading = false;
}

async function readOnce() {
  const answer = await fetch(location.href, { headers: { 'x-live': mark } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('#main');
  if (!fresh) return;
  const rows = rowsOf(main);
  if (main.dataset.live === 'rows' && rows.size > 0) return showRows(rows, rowsOf(fresh));
  const isOver = main.dataset.live === 'call' && !fresh.dataset.live;
  put(main, isOver ? ((await askAsReader()) ?? fresh) : fresh);
}

/** A call that has come to its end is read once as its reader would: with the people whom it could be about. */
async function askAsReader() {
  const answer = await fetch(location.href);
  if (!answer.ok) return undefined;
  return new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('#main');
}

const rowsOf = (within) => new Map([...within.querySelectorAll('[data-of]')].map((row) => [row.dataset.of, row]));

function showRows(shown, fresh) {
  let more = 0;
  let isKnown = false;
  for (const [of, row] of fresh) {
    const known = shown.get(of);
    isKnown ||= known !== undefined;
    if (!known && !isKnown) more += 1;
    if (!known || known.textContent === row.textContent) continue;
    put(known, row);
    known.classList.add('moved');
    known.addEventListener('animationend', () => known.classList.remove('moved'), { once: true });
  }
  if (more > 0) announce(more, isKnown);
}

const news = document.createElement('p');
news.className = 'news';
const newest = document.createElement('a');
news.append(newest);

function announce(more, isKnown) {
  const what = more === 1 ? main.dataset.one : main.dataset.many;
  newest.href = location.href;
  newest.textContent = `${more}${isKnown ? '' : ' or more'} ${what}`;
  if (!news.isConnected) main.querySelector('.wide')?.before(news);
  speak(newest.textContent);
}

const keyOf = (node) => node.id || node.dataset?.of;
const isAlike = (one, other) =>
  one.nodeType === other.nodeType && one.nodeName === other.nodeName && keyOf(one) === keyOf(other);

/** Makes an element what it is in the page that was just read. Its own nodes stay wherever they can. */
function put(into, from) {
  for (const { name } of [...into.attributes])
    if (!from.hasAttribute(name) && name !== 'open') into.removeAttribute(name);
  for (const { name, value } of from.attributes)
    if (name !== 'open' && into.getAttribute(name) !== value) into.setAttribute(name, value);
  // What is typed and chosen is the reader's.
  if (into.matches('input, select, textarea')) return;
  let place = into.firstChild;
  for (const next of [...from.childNodes]) {
    let same = place;
    while (same && !isAlike(same, next)) same = same.nextSibling;
    // What stands in between is gone, unless it comes later.
    if (same && !keyOf(next) && same !== place) same = undefined;
    if (!same) {
      into.insertBefore(next, place);
      continue;
    }
    while (place !== same) {
      const gone = place;
      place = place.nextSibling;
      gone.remove();
    }
    place = same.nextSibling;
    if (same.nodeType === Node.ELEMENT_NODE) put(same, next);
    else if (same.nodeValue !== next.nodeValue) same.nodeValue = next.nodeValue;
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    source?.close();
    source = undefined;
  } else {
    listen();
    if (mark !== undefined) read();
  }
});
document.addEventListener('selectionchange', () => {
  if (isDue && !isSelecting()) read();
});
listen();
