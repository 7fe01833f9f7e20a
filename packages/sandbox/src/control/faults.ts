/**
 * Failures on demand. A fault is taken by the requests that it matches, in the order in which the faults
 * were set, and is gone when it has happened `times` times.
 */
import { STATUS_CODES } from 'node:http';
import { HUBSPOT_FAULTS } from '../hubspot/http/faults.ts';
import { SALESFORCE_FAULTS } from '../salesforce/http/faults.ts';
import { type Act, type ErrorBodies, type FaultKindRule, type FaultSettings, replyJson } from './fault.ts';

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
  held: { commits: true, act: () => ({ do: 'hold' }) },
  slow: { commits: true, act: (spec) => ({ do: 'serve', ms: spec.ms ?? 1_000 }) },
  empty_success: {
    commits: false,
    act: (spec, bodies) => {
      const { status, body } = bodies.emptySuccess();
      return replyJson(spec.status ?? status, body);
    },
  },
  drop_rows: { commits: true, act: () => ({ do: 'serve', ms: 0 }) },
  row_error: { commits: true, act: () => ({ do: 'serve', ms: 0 }) },
  unauthorized: {
    commits: false,
    refuses: true,
    act: (_spec, bodies) => {
      const { status, body } = bodies.unauthorized();
      return replyJson(status, body);
    },
  },
  ...HUBSPOT_FAULTS,
  ...SALESFORCE_FAULTS,
} satisfies Record<string, FaultKindRule>;

export type FaultKind = keyof typeof KINDS;
const FAULT_KINDS = Object.keys(KINDS) as FaultKind[];

export interface FaultSpec extends FaultSettings {
  kind: FaultKind;
}

function failed(spec: FaultSettings, bodies: ErrorBodies): Act {
  const status = spec.status ?? 500;
  return replyJson(status, spec.body ?? bodies.error(status), spec.headers);
}

function raw(status: number, contentType: string | undefined, text: string): Act {
  return { do: 'reply', reply: { status, headers: contentType ? { 'content-type': contentType } : {}, text } };
}

export interface FaultTarget {
  api: string;
  method: string;
  path: string;
  object?: string | undefined;
  /** Of a request that is several in one. */
  parts?: FaultTarget[] | undefined;
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
  readonly #waiting = new Set<() => void>();

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
    for (const go of this.#waiting) go();
    this.#waiting.clear();
  }

  /** Resolves when they are cleared. */
  cleared(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  /** The fault that hits this request, if any. Only the first that is due is used up. */
  take(target: FaultTarget): FaultSpec | undefined {
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

export function actOf(spec: FaultSpec, bodies: ErrorBodies): Act {
  return KINDS[spec.kind].act(spec, bodies);
}

export function commits(spec: FaultSpec): boolean {
  return KINDS[spec.kind].commits || (spec.kind === 'empty_success' && spec.commit === true);
}

/** Whether it turns the request away before anything of it is done: else the parts before the one that it is about are. */
export function refuses({ kind }: FaultSpec): boolean {
  const rule: FaultKindRule = KINDS[kind];
  return rule.refuses === true;
}

/** A fault that is about a part of a request is about the request. */
export function isMeant(spec: Omit<FaultSpec, 'kind'>, target: FaultTarget): boolean {
  return isMeantItself(spec, target) || (target.parts ?? []).some((part) => isMeantItself(spec, part));
}

function isMeantItself({ api, method, path, object }: Omit<FaultSpec, 'kind'>, target: FaultTarget): boolean {
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
