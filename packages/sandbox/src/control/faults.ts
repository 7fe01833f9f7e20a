/**
 * Things that go wrong on purpose. A fault is taken by the requests that it matches, in the order in which the faults
 * were set, and is gone when it has happened `times` times.
 */
import { STATUS_CODES } from 'node:http';
import { type Policy, tooMany } from '../hubspot/rate-windows.ts';
import { hubspotError } from '../hubspot/words.ts';
import type { Reply } from '../reply.ts';
import { limitExceeded } from '../salesforce/words.ts';

/** What goes over the wire, headers as they are: nothing is added. */
export interface RawReply {
  status: number;
  headers: Record<string, string>;
  text: string;
}

export type Act =
  | { do: 'reply'; reply: RawReply }
  | { do: 'hang' }
  | { do: 'reset' }
  /** The first half of the answer, and then the connection's end, or nothing any more. */
  | { do: 'cut' }
  | { do: 'stall' }
  | { do: 'serve'; ms: number };

/** How an API says what a fault makes it say. */
export interface FaultWords {
  /** The body of an error of its own. */
  error(status: number): unknown;
  unauthorized(): Reply;
  /** An answer that means success and tells nothing. */
  emptySuccess(): Reply;
}

interface Kind {
  commits: boolean;
  act(spec: FaultSpec, words: FaultWords): Act;
}

/**
 * Each kind: whether the request takes effect, and what the client gets instead of its answer. `serve` lets the answer
 * through, changed where the API says so.
 */
const KINDS = {
  status: { commits: false, act: failed },
  html: {
    commits: false,
    act: (spec) =>
      raw(
        spec.status ?? 502,
        spec.headers?.['content-type'] ?? 'text/html',
        `<html><body><h1>${spec.status ?? 502} ${STATUS_CODES[spec.status ?? 502]}</h1></body></html>`,
      ),
  },
  no_content_type: { commits: false, act: (spec) => raw(spec.status ?? 500, undefined, 'upstream connect error') },
  broken_json: {
    commits: false,
    act: (spec) => raw(spec.status ?? 500, 'application/json', '{"status":"error","mess'),
  },
  hang: { commits: false, act: () => ({ do: 'hang' }) },
  reset: { commits: false, act: () => ({ do: 'reset' }) },
  cut: { commits: true, act: () => ({ do: 'cut' }) },
  stall: { commits: true, act: () => ({ do: 'stall' }) },
  commit_then_reset: { commits: true, act: () => ({ do: 'reset' }) },
  commit_then_500: { commits: true, act: failed },
  commit_then_hang: { commits: true, act: () => ({ do: 'hang' }) },
  slow: { commits: true, act: (spec) => ({ do: 'serve', ms: spec.ms ?? 1_000 }) },
  empty_success: {
    commits: false,
    act: (spec, words) => {
      const { status, body } = words.emptySuccess();
      return reply(spec.status ?? status, body);
    },
  },
  drop_rows: { commits: true, act: () => ({ do: 'serve', ms: 0 }) },
  row_error: { commits: true, act: () => ({ do: 'serve', ms: 0 }) },
  locked: {
    commits: false,
    act: () => reply(423, hubspotError('The resource is locked. Try again in 2 seconds.', 'LOCKED')),
  },
  migrating: {
    commits: false,
    act: (spec) =>
      reply(477, hubspotError('The account is moving to another data centre.', 'MIGRATION_IN_PROGRESS'), {
        'Retry-After': String(spec.retry_after ?? 60),
      }),
  },
  unauthorized: {
    commits: false,
    act: (_spec, words) => {
      const { status, body } = words.unauthorized();
      return reply(status, body);
    },
  },
  ten_secondly: { commits: false, act: () => rateLimited('ten_secondly') },
  daily: { commits: false, act: () => rateLimited('daily') },
  secondly: { commits: false, act: () => rateLimited('secondly') },
  request_limit: {
    commits: false,
    act: (spec) => reply(403, spec.body ?? limitExceeded('TotalRequests Limit exceeded.')),
  },
} satisfies Record<string, Kind>;

export type FaultKind = keyof typeof KINDS;
export const FAULT_KINDS = Object.keys(KINDS) as FaultKind[];

function failed(spec: FaultSpec, words: FaultWords): Act {
  const status = spec.status ?? 500;
  return reply(status, spec.body ?? words.error(status), spec.headers);
}

function reply(status: number, body: unknown, headers: Record<string, string> = {}): Act {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return {
    do: 'reply',
    reply: { status, headers: { 'content-type': 'application/json;charset=utf-8', ...headers }, text },
  };
}

function raw(status: number, contentType: string | undefined, text: string): Act {
  return { do: 'reply', reply: { status, headers: contentType ? { 'content-type': contentType } : {}, text } };
}

function rateLimited(policy: Policy): Act {
  const { status, body } = tooMany(policy);
  return reply(status, body);
}

export interface FaultSpec {
  kind: FaultKind;
  /** Only requests to this API: `hubspot`, `salesforce` or `synthflow`. */
  api?: string;
  /** Only requests with this method. */
  method?: string;
  /** Regular expression that the path must match somewhere, as the client sent it, from `/hubspot`, `/salesforce` or `/synthflow` on. */
  path?: string;
  /** Only requests to this object: `calls` of HubSpot, `Task` of Salesforce. */
  object?: string;
  /** How often it happens; null for ever. Default 1. */
  times?: number | null;
  /** Matching requests to let through before. Default 0. */
  after?: number;
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** Milliseconds, for `slow`. */
  ms?: number;
  /** Seconds, for `migrating`. */
  retry_after?: number;
  /** Rows to leave out of the answer, for `drop_rows`, or to refuse, for `row_error`: from the first. Default 1. */
  rows?: number;
  /** Regular expression, for `row_error`: the rows to refuse are those whose JSON it matches, instead of the first. */
  row?: string;
  /** What the refused rows say, for `row_error`. Default UNABLE_TO_LOCK_ROW. */
  code?: string;
  message?: string;
  /** For `empty_success` (default false) and `drop_rows` (default true): whether what the answer leaves out took effect. */
  commit?: boolean;
}

export interface Target {
  api: string;
  method: string;
  path: string;
  object?: string | undefined;
}

export interface Fault {
  id: number;
  spec: FaultSpec;
  /** Requests that it matched, and how many of them it hit. */
  matched: number;
  hit: number;
}

/** A fault that cannot be set. */
export class FaultError extends Error {
  override name = 'FaultError';
}

export class Faults {
  #faults: Fault[] = [];
  #next = 1;

  /** @throws FaultError */
  add(spec: FaultSpec): Fault {
    checkSpec(spec);
    const fault = { id: this.#next++, spec: { ...spec }, matched: 0, hit: 0 };
    this.#faults.push(fault);
    return fault;
  }

  /** Those that can still happen. */
  list(): Fault[] {
    return this.#faults.map((fault) => ({ ...fault }));
  }

  clear(): void {
    this.#faults = [];
  }

  /** The fault that hits this request, if any. Only the first that is due is used up. */
  take(target: Target): FaultSpec | undefined {
    let taken: FaultSpec | undefined;
    for (const fault of this.#faults) {
      if (!isMeant(fault.spec, target)) continue;
      fault.matched += 1;
      if (taken || fault.matched <= (fault.spec.after ?? 0)) continue;
      fault.hit += 1;
      taken = fault.spec;
    }
    this.#faults = this.#faults.filter(({ spec, hit }) => spec.times === null || hit < (spec.times ?? 1));
    return taken;
  }
}

export function actOf(spec: FaultSpec, words: FaultWords): Act {
  return KINDS[spec.kind].act(spec, words);
}

export function commits(spec: FaultSpec): boolean {
  return KINDS[spec.kind].commits || (spec.kind === 'empty_success' && spec.commit === true);
}

function isMeant({ api, method, path, object }: FaultSpec, target: Target): boolean {
  if (api !== undefined && api !== target.api) return false;
  if (method !== undefined && method.toUpperCase() !== target.method) return false;
  if (object !== undefined && object !== target.object) return false;
  return path === undefined || new RegExp(path).test(target.path);
}

type Check = [test: (value: unknown) => boolean, what: string];

const isCount = (value: unknown) => Number.isInteger(value) && (value as number) >= 0;
const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

const FIELDS: Record<keyof FaultSpec, Check> = {
  kind: [(value) => FAULT_KINDS.includes(value as FaultKind), `one of ${FAULT_KINDS.join(', ')}`],
  api: [
    (value) => ['hubspot', 'salesforce', 'synthflow'].includes(value as string),
    'hubspot, salesforce or synthflow',
  ],
  method: [(value) => typeof value === 'string', 'an HTTP method'],
  path: [isPattern, 'a regular expression'],
  object: [(value) => typeof value === 'string', 'the name of an object, like calls'],
  times: [(value) => value === null || (isCount(value) && value !== 0), 'a whole number from 1, or null for ever'],
  after: [isCount, 'a whole number'],
  status: [
    (value) => isCount(value) && (value as number) >= 200 && (value as number) <= 599,
    'an HTTP status from 200 to 599',
  ],
  body: [() => true, 'anything'],
  headers: [
    (value) => isObject(value) && Object.values(value as object).every((one) => typeof one === 'string'),
    'strings by name',
  ],
  ms: [isCount, 'milliseconds'],
  retry_after: [isCount, 'seconds'],
  rows: [isCount, 'a whole number'],
  row: [isPattern, 'a regular expression'],
  code: [(value) => typeof value === 'string', 'the code of an error'],
  message: [(value) => typeof value === 'string', 'the message of an error'],
  commit: [(value) => typeof value === 'boolean', 'true or false'],
};

function isPattern(value: unknown): boolean {
  try {
    return typeof value === 'string' && Boolean(new RegExp(value));
  } catch {
    return false;
  }
}

function checkSpec(spec: FaultSpec): void {
  if (!isObject(spec)) throw new FaultError('a fault must be an object');
  if (spec.kind === undefined) throw new FaultError(`kind must be ${FIELDS.kind[1]}`);
  for (const [field, value] of Object.entries(spec)) {
    if (value === undefined) continue;
    const check = Object.hasOwn(FIELDS, field) ? FIELDS[field as keyof FaultSpec] : undefined;
    if (!check) throw new FaultError(`a fault has no ${field}; it has ${Object.keys(FIELDS).join(', ')}`);
    if (!check[0](value)) throw new FaultError(`${field} must be ${check[1]}`);
  }
}
