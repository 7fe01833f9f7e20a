/** What several pages show in the same way. */

import type { PersonRecord } from '@wrapup/destination';
import type { DeliveryEntry } from '@wrapup/queue';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';

/** Moment in UTC, with how long ago it was. */
export function renderTime(at: number | undefined, now = Date.now()): HtmlPart {
  if (at === undefined || !Number.isFinite(at) || Math.abs(at) > 8.64e15)
    return html`<span class="none">unknown</span>`;
  const iso = new Date(at).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time> <span class="ago">${renderAge(now - at)}</span>`;
}

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const;

/** `3 min ago`, `in 20 s`. */
function renderAge(ms: number): string {
  const past = ms >= 0;
  for (const [size, unit] of UNITS) {
    if (Math.abs(ms) < size) continue;
    const count = `${Math.floor(Math.abs(ms) / size)} ${unit}`;
    return past ? `${count} ago` : `in ${count}`;
  }
  return 'just now';
}

export function renderChip(state: string, text: string = state): Html {
  return html`<span class="chip ${/^[a-z_]+$/.test(state) ? state : ''}">${text}</span>`;
}

/** What people call the CRMs' own objects, by their names in the APIs; the others go by theirs. */
const KINDS: Record<string, string> = {
  contacts: 'Contact',
  companies: 'Company',
  calls: 'Call',
  tasks: 'Task',
  notes: 'Note',
  deals: 'Deal',
  tickets: 'Ticket',
  meetings: 'Meeting',
  leads: 'Lead',
};

/** A CRM record by its kind, with its link; its id and what was done to it on hover. */
export function renderRecord(record: DeliveryEntry['records'][number]): Html {
  const url = webAddress(record.url);
  const kind = KINDS[record.object] ?? record.object;
  const more = `${record.id}, ${record.did} as ${record.name}`;
  return url
    ? html`<a class="record" href="${url}" rel="noopener noreferrer" title="${more}">${kind}</a>`
    : html`<span class="record" title="${more}">${kind}</span>`;
}

/** Seconds as people say them: `2 min 5 s`. */
export function renderDuration(seconds: number | undefined): string | undefined {
  if (seconds === undefined) return undefined;
  const [minutes, rest] = [Math.floor(seconds / 60), Math.round(seconds % 60)];
  return minutes > 0 ? `${minutes} min ${rest} s` : `${rest} s`;
}

/** A record by its id, with its link where it is known. */
export function renderLink(text: string, address: string | undefined): HtmlPart {
  const url = webAddress(address);
  return url ? html`<a href="${url}" rel="noreferrer">${text}</a>` : text;
}

/** A person in the CRM: the record with its link, and name, address, number and company. */
export function renderPersonRecord({ object, id, url: address, who = {} }: PersonRecord): Html {
  const url = webAddress(address);
  const { name, email, phone, company } = who;
  const known = [name, email, phone, company].filter(Boolean).join(', ');
  return html`${renderLink(`${object} ${id}`, url)}${known && html` ${known}`}`;
}

export function linkToCall(source: string, callId: string): string {
  return `/calls/${encodeURIComponent(callId)}?source=${encodeURIComponent(source)}`;
}

/** A count with its noun. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en-US')} ${number === 1 ? one : many}`;
}

/** The first of the hash; the whole of it on hover. */
export function renderHash(hash: string): Html {
  return html`<code title="${hash}">${hash.slice(0, 12)}</code>`;
}

/** One entry of a list of facts; nothing when there is no value. */
export function renderFact(name: string, value: HtmlPart): HtmlPart {
  if (value === undefined || value === null || value === false || value === '') return false;
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}

/** One choice of a filter; `any` is none. @param say how an option is shown */
export function renderSelect(
  name: string,
  label: string,
  options: readonly string[],
  chosen: string | undefined,
  say: (option: string) => string = (option) => option,
): Html {
  const all = chosen && !options.includes(chosen) ? [...options, chosen] : options;
  return html`<label>${label}<select name="${name}"><option value="">any</option>${all.map((option) =>
    option === chosen
      ? html`<option value="${option}" selected>${say(option)}</option>`
      : html`<option value="${option}">${say(option)}</option>`,
  )}</select></label>`;
}

/** The address if it is absolute and http(s): record links come from outside, and `javascript:` is an address too. */
function webAddress(url: string | undefined): string | undefined {
  if (!url || !URL.canParse(url)) return undefined;
  const { protocol, href } = new URL(url);
  return protocol === 'http:' || protocol === 'https:' ? href : undefined;
}
