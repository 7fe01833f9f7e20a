/**
 * Instants, in every form that Synthflow writes them: ISO 8601 with the offset of the agent's zone (webhook, with and
 * without fractions), epoch milliseconds as a string (REST), epoch seconds (actions), and naive texts, which are UTC.
 */

export interface Instant {
  /** Epoch ms. */
  ms: number;
  /** `+02:00`, when the text carried an offset. */
  offset?: string;
  /** True when the text named no zone and was taken for UTC. */
  naive: boolean;
}

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,12}))?)?\s?(Z|[+-]\d{2}(?::?\d{2})?)?$/i;
const EPOCH = /^\d{9,17}(?:\.\d{1,9})?$/;
/** Numbers below this are seconds; as milliseconds they would lie before 1973. */
const MAX_EPOCH_SECONDS = 1e11;
/** No voice agent made calls before, and a later time than the last is an error of the payload. */
const EARLIEST = Date.UTC(2000, 0, 1);
const LATEST = Date.UTC(2200, 0, 1);

/** @returns undefined for what is no time, or none that a call can have */
export function readInstant(value: unknown): Instant | undefined {
  if (typeof value === 'number') return fromEpoch(value);
  if (typeof value !== 'string' || value.length > 64) return undefined;
  const text = value.trim();
  if (EPOCH.test(text)) return fromEpoch(Number(text));
  const parts = ISO.exec(text);
  if (!parts) return undefined;
  const [, year, month, day, hour, minute, second = '0', fraction = '', zone] = parts;
  const fields = [year, month, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const local = Date.UTC(fields[0], fields[1] - 1, fields[2], fields[3], fields[4], fields[5]);
  // Date.UTC rolls the 30th of February over into March.
  if (new Date(local).toISOString().slice(0, 16) !== `${year}-${month}-${day}T${hour}:${minute}` || fields[5] > 59) {
    return undefined;
  }
  const offset = zone === undefined ? undefined : normaliseOffset(zone);
  if (offset === null) return undefined;
  const ms = local + Math.trunc(Number(`0.${fraction || '0'}`) * 1000) - (offset ? offsetMs(offset) : 0);
  return within({ ms, naive: offset === undefined, ...(offset ? { offset } : {}) });
}

/** `2026-05-04T08:59:46.000Z` */
export function toIso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Seconds, from a number or a number in a string. Undefined when it is negative, not finite or not a number. */
export function readSeconds(value: unknown): number | undefined {
  const text = typeof value === 'string' ? value.trim() : undefined;
  if (text !== undefined && !/^\d{1,12}(?:\.\d{1,12})?$/.test(text)) return undefined;
  const seconds = text === undefined ? value : Number(text);
  if (typeof seconds !== 'number' || !(seconds >= 0 && seconds <= MAX_CALL_S)) return undefined;
  return Math.round(seconds * 1000) / 1000;
}

/** Seconds; what says more than a week is not a duration in seconds. */
const MAX_CALL_S = 7 * 24 * 3600;

function fromEpoch(number: number): Instant | undefined {
  return within({ ms: Math.trunc(number < MAX_EPOCH_SECONDS ? number * 1000 : number), naive: false });
}

function within(instant: Instant): Instant | undefined {
  return instant.ms >= EARLIEST && instant.ms < LATEST ? instant : undefined;
}

/** `+02:00` from `+02`, `+0200`, `Z`; null when there is no such offset on earth. */
function normaliseOffset(zone: string): string | null {
  if (zone.toUpperCase() === 'Z') return '+00:00';
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(':', '') || '0');
  if (hours > 14 || minutes > 59) return null;
  return `${zone[0]}${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
}

function offsetMs(offset: string): number {
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4, 6));
  return (offset.startsWith('-') ? -minutes : minutes) * 60_000;
}
