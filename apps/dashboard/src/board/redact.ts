/**
 * What Bull Board may show of a job. Job data are ids by contract, but a job shows what is in it, not what should be:
 * of data and options only known keys are shown, texts lose whatever looks like an address or a number.
 */
import { isObject } from '@wrapup/call';
import { scrub } from '@wrapup/destination';
import { maskText } from '@wrapup/telemetry';

const HIDDEN = '[redacted]';

/** Ids and words of ours, which hold digits that look like telephone numbers. */
const PLAIN = new Set(['source', 'revision', 'config', 'route', 'connection', 'code', 'replays', 'attempts', 'since']);
const TEXTS = new Set(['call_id', 'reason', 'hint']);

const OPTIONS = new Set([
  'attempts',
  'backoff',
  'delay',
  'jitter',
  'type',
  'priority',
  'lifo',
  'timestamp',
  'removeOnComplete',
  'removeOnFail',
  'age',
  'count',
  'keepLogs',
  'stackTraceLimit',
  'sizeLimit',
  'repeat',
  'every',
  'pattern',
  'offset',
  'limit',
  'tz',
  'prevMillis',
  'repeatJobKey',
  'jobId',
]);

/** Free text of an error, a stack or a log. */
export function redactText(text: string): string {
  return maskText(scrub(text, 2_000));
}

export function redactData(data: unknown): unknown {
  if (!isObject(data)) return data === undefined || data === null ? data : HIDDEN;
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => {
      if (typeof value === 'object' && value !== null) return [redactText(key), HIDDEN];
      if (PLAIN.has(key)) return [key, typeof value === 'string' ? maskText(value) : value];
      if (key === 'call_id') return [key, typeof value === 'string' ? maskAddress(value) : HIDDEN];
      if (TEXTS.has(key)) return [key, typeof value === 'string' ? redactText(value) : HIDDEN];
      return [redactText(key), HIDDEN];
    }),
  );
}

export function redactOptions(options: unknown): unknown {
  if (Array.isArray(options)) return HIDDEN;
  if (!isObject(options)) return typeof options === 'string' ? maskText(options) : options;
  return Object.fromEntries(
    Object.entries(options)
      .filter(([key]) => OPTIONS.has(key))
      .map(([key, value]) => [key, redactOptions(value)]),
  );
}

/** Nothing of ours reports progress or returns a value, so whatever is there was put by something else. */
export function redactProgress(progress: unknown): unknown {
  return typeof progress === 'number' && progress >= 0 && progress <= 100 ? progress : HIDDEN;
}

export function redactReturnValue(value: unknown): unknown {
  return value === null || value === undefined ? value : HIDDEN;
}

type Fields = Record<string, unknown>;

/** A job as the board's API gives it. */
export function redactJob(job: unknown): unknown {
  if (!isObject(job)) return job;
  const shown: Fields = {};
  for (const [key, value] of Object.entries(job)) shown[key] = redactField(key, value);
  return shown;
}

function redactField(key: string, value: unknown): unknown {
  switch (key) {
    case 'data':
      return redactData(value);
    case 'opts':
      return redactOptions(value);
    case 'progress':
      return redactProgress(value);
    case 'returnValue':
      return redactReturnValue(value);
    case 'stacktrace':
      return Array.isArray(value) ? value.map((trace) => redactText(String(trace))) : [];
    case 'failedReason':
    case 'deferredFailure':
      return typeof value === 'string' ? redactText(value) : value;
    default:
      return redactAnything(value);
  }
}

/** For answers of which nothing is known: no text keeps an address or a number, at any depth. */
export function redactAnything(value: unknown): unknown {
  if (typeof value === 'string') return maskText(value);
  if (Array.isArray(value)) return value.map(redactAnything);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [maskText(key), redactAnything(one)]));
}

/** A call id is shown as it is, digits and all; an address in its place is not. */
function maskAddress(id: string): string {
  return id.includes('@') || /^\+\d/.test(id) ? maskText(id) : id;
}
