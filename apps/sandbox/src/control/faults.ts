/**
 * Things that go wrong on purpose. A fault is taken by the requests that it matches, in the order in which the faults
 * were set, and is gone when it has happened `times` times.
 */
import { randomUUID } from 'node:crypto';
import { type Policy, tooMany } from '../hubspot/rate-windows.ts';

/** What goes over the wire, headers as they are: nothing is added. */
export interface RawReply {
  status: number;
  headers: Record<string, string>;
  text: string;
}

export type Act = { do: 'reply'; reply: RawReply } | { do: 'hang' } | { do: 'reset' } | { do: 'serve'; ms: number };

/**
 * Each kind: whether the request takes effect, and what the client gets instead of its answer. `serve` lets the answer
 * through, changed where `change` says so.
 */
const KINDS = {
  status: {
    commits: false,
    act: (spec) => reply(spec.status ?? 500, spec.body ?? errorBody('internal error'), spec.headers),
  },
  html: {
    commits: false,
    act: (spec) => raw(spec.status ?? 502, 'text/html', '<html><body><h1>502 Bad Gateway</h1></body></html>'),
  },
  no_content_type: { commits: false, act: (spec) => raw(spec.status ?? 500, undefined, 'upstream connect error') },
  broken_json: {
    commits: false,
    act: (spec) => raw(spec.status ?? 500, 'application/json', '{"status":"error","mess'),
  },
  hang: { commits: false, act: () => ({ do: 'hang' }) },
  reset: { commits: false, act: () => ({ do: 'reset' }) },
  commit_then_reset: { commits: true, act: () => ({ do: 'reset' }) },
  commit_then_500: {
    commits: true,
    act: (spec) => reply(spec.status ?? 500, spec.body ?? errorBody('internal error'), spec.headers),
  },
  commit_then_hang: { commits: true, act: () => ({ do: 'hang' }) },
  slow: { commits: true, act: (spec) => ({ do: 'serve', ms: spec.ms ?? 1_000 }) },
  empty_success: { commits: false, act: (spec, success) => reply(spec.status ?? success, EMPTY) },
  drop_rows: { commits: true, act: () => ({ do: 'serve', ms: 0 }) },
  locked: {
    commits: false,
    act: () => reply(423, errorBody('The resource is locked. Try again in 2 seconds.', 'LOCKED')),
  },
  migrating: {
    commits: false,
    act: (spec) =>
      reply(477, errorBody('The account is moving to another data centre.', 'MIGRATION_IN_PROGRESS'), {
        'Retry-After': String(spec.retry_after ?? 60),
      }),
  },
  unauthorized: {
    commits: false,
    act: () => reply(401, errorBody('Authentication credentials not found.', 'INVALID_AUTHENTICATION')),
  },
  ten_secondly: { commits: false, act: () => rateLimited('ten_secondly') },
  daily: { commits: false, act: () => rateLimited('daily') },
  secondly: { commits: false, act: () => rateLimited('secondly') },
} satisfies Record<string, { commits: boolean; act(spec: FaultSpec, success: number): Act }>;

export type FaultKind = keyof typeof KINDS;
export const FAULT_KINDS = Object.keys(KINDS) as FaultKind[];

const EMPTY = {
  status: 'COMPLETE',
  results: [],
  startedAt: new Date(0).toISOString(),
  completedAt: new Date(0).toISOString(),
};

function errorBody(message: string, category?: string): object {
  return { status: 'error', message, correlationId: randomUUID(), ...(category && { category }) };
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
  /** Only requests with this method. */
  method?: string;
  /** Regular expression that the path must match somewhere, as the client sent it, from `/hubspot` or `/synthflow` on. */
  path?: string;
  /** Only requests to this object: `calls`. */
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
  /** Rows to leave out of the answer, for `drop_rows`. Default 1. */
  rows?: number;
  /** For `empty_success` (default false) and `drop_rows` (default true): whether what the answer leaves out took effect. */
  commit?: boolean;
}

export interface Target {
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

export function actOf(spec: FaultSpec, success: number): Act {
  return KINDS[spec.kind].act(spec, success);
}

export function commits(spec: FaultSpec): boolean {
  return KINDS[spec.kind].commits || (spec.kind === 'empty_success' && spec.commit === true);
}

function isMeant({ method, path, object }: FaultSpec, target: Target): boolean {
  if (method !== undefined && method.toUpperCase() !== target.method) return false;
  if (object !== undefined && object !== target.object) return false;
  return path === undefined || new RegExp(path).test(target.path);
}

type Check = [test: (value: unknown) => boolean, what: string];

const isCount = (value: unknown) => Number.isInteger(value) && (value as number) >= 0;
const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

const FIELDS: Record<keyof FaultSpec, Check> = {
  kind: [(value) => FAULT_KINDS.includes(value as FaultKind), `one of ${FAULT_KINDS.join(', ')}`],
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
