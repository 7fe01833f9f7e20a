/** What a demo is asked to do, checked. */

export interface DemoSpec {
  /** How many calls; default 20. */
  calls?: number;
  /** Number of the first one, which decides who is called: calls after those of an earlier demo. Default 0. */
  first?: number;
  /** Calls placed a second; default 5. */
  rate?: number;
  /** Part of the webhooks that is never sent, 0 to 1; default 0. Exactly that many, rounded. */
  lose?: number;
  /** Address of the post-call webhook; without it none is sent. */
  webhook?: string;
  /** Address that is asked who is calling before an inbound call connects; without it no address is asked. */
  inbound?: string;
  /** Signs the webhooks; without it they go unsigned. */
  secret?: string;
  /** Milliseconds that a call rings and goes on, at most; claimed durations do not depend on it. Default 1500. */
  pace?: number;
  /** Milliseconds into the past over which the calls are spread. They are over at once, and no webhook is sent. */
  past?: number;
  /** The same seed makes the same calls, but for their ids and times. */
  seed?: number;
}

type Optional = 'webhook' | 'inbound' | 'secret' | 'past';
export type CheckedSpec = Required<Omit<DemoSpec, Optional>> & Pick<DemoSpec, Optional>;

/** A demo that cannot be. */
export class DemoError extends Error {
  override name = 'DemoError';
}

type Check = [test: (value: unknown) => boolean, what: string];

const between = (least: number, most: number, whole: boolean): Check => [
  (value) => typeof value === 'number' && value >= least && value <= most && (!whole || Number.isInteger(value)),
  `a ${whole ? 'whole ' : ''}number from ${least} to ${most}`,
];

const address: Check = [
  (value) => typeof value === 'string' && /^https?:$/.test(URL.parse(value)?.protocol ?? ''),
  'an http address',
];

const FIELDS: Record<keyof DemoSpec, Check> = {
  calls: between(1, 100_000, true),
  first: between(0, 100_000_000, true),
  rate: between(0.01, 10_000, false),
  lose: between(0, 1, false),
  webhook: address,
  inbound: address,
  secret: [(value) => typeof value === 'string' && value !== '', 'a text'],
  pace: between(0, 600_000, true),
  past: between(1, 400 * 24 * 3600_000, true),
  seed: between(0, 2 ** 32 - 1, true),
};

/** @throws DemoError naming the field and what it may be */
export function checkSpec(given: unknown): CheckedSpec {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw new DemoError('a demo is an object');
  const spec = given as DemoSpec;
  for (const [field, value] of Object.entries(spec)) {
    if (value === undefined) continue;
    const check = Object.hasOwn(FIELDS, field) ? FIELDS[field as keyof DemoSpec] : undefined;
    if (!check) throw new DemoError(`a demo has no ${field}; it has ${Object.keys(FIELDS).join(', ')}`);
    if (!check[0](value)) throw new DemoError(`${field} must be ${check[1]}`);
  }
  const { calls = 20, first = 0, rate = 5, lose = 0, pace = 1500, seed = 1, webhook, inbound, secret, past } = spec;
  return {
    calls,
    first,
    rate,
    lose,
    pace,
    seed,
    ...(webhook === undefined ? {} : { webhook }),
    ...(inbound === undefined ? {} : { inbound }),
    ...(secret === undefined ? {} : { secret }),
    ...(past === undefined ? {} : { past }),
  };
}
