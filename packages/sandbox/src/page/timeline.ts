/** One row of a person's timeline, whatever the CRM. */

export interface Fact {
  label: string;
  value: string;
  /** A key of ours: shown small. */
  isKey?: boolean;
}

export interface TimelineEntry {
  kind: string;
  id: string;
  /** Name of its place on the page. */
  anchor: string;
  title: string;
  /** Epoch ms. */
  at: number;
  when: string;
  /** Short words beside the title, with the tone in which they are shown. */
  badges: { text: string; tone: 'good' | 'bad' | 'wait' | 'plain' }[];
  facts: Fact[];
  body: string;
  /** Only http and https. */
  link: string | undefined;
}

/** How good the news is that a value tells. */
const TONES = new Map<string, TimelineEntry['badges'][number]['tone']>([
  ['Connected', 'good'],
  ['COMPLETED', 'good'],
  ['Completed', 'good'],
  ['Not Started', 'wait'],
  ['High', 'bad'],
  ['Left voicemail', 'wait'],
  ['Left live message', 'wait'],
  ['No answer', 'wait'],
  ['Busy', 'wait'],
  ['NO_ANSWER', 'wait'],
  ['BUSY', 'wait'],
  ['NOT_STARTED', 'wait'],
  ['HIGH', 'bad'],
  ['FAILED', 'bad'],
  ['CANCELED', 'bad'],
  ['Wrong number', 'bad'],
]);

/** The status of a call says nothing new beside an outcome of the same name. */
export function badgesOf(texts: string[]): TimelineEntry['badges'] {
  const badges = texts.map((text) => ({ text: readable(text), tone: TONES.get(text) ?? 'plain' }));
  return badges.filter(({ text }, at) => badges.findIndex((badge) => badge.text === text) === at);
}

/** `NOT_STARTED` as `Not started`. */
function readable(value: string): string {
  if (!/^[A-Z_]+$/.test(value)) return value;
  const words = value.toLowerCase().replaceAll('_', ' ');
  return `${words[0]?.toUpperCase()}${words.slice(1)}`;
}

const TIME = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });

export function readableTime(at: number): string {
  return `${TIME.format(at)} UTC`;
}

/** @param ms milliseconds */
export function readableDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}
