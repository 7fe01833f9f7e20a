/**
 * The shape of wrapup.yaml. What goes beyond shape (names that must exist, rules between sections) is in `check-*.ts`.
 *
 * Numbers and switches also accept text, because that is what an environment variable gives.
 */
import { z } from 'zod';
import { parseDuration } from './units.ts';

/** Names of sources, connections, routes and records: they become parts of keys and of queue names. */
export const NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
/** Characters; longer names make keys that CRMs cut. */
const NAME_LIMIT = 40;
const NAME_RULE = `must be small letters, digits and single dashes, at most ${NAME_LIMIT} characters`;

const name = z.string().max(NAME_LIMIT, NAME_RULE).regex(NAME, NAME_RULE);
const text = z.string().min(1, 'must not be empty');

/** @param least,most milliseconds */
function duration(least: number, most: number, range: string) {
  return z.string({ error: 'must be a duration such as 2s, 10m, 6h or 90d' }).transform((written, context) => {
    const ms = parseDuration(written);
    if (ms !== undefined && ms >= least && ms <= most) return ms;
    context.addIssue({
      code: 'custom',
      message: ms === undefined ? 'must be a duration such as 2s, 10m, 6h or 90d' : `must be ${range}`,
    });
    return z.NEVER;
  });
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function integer(least: number, most: number) {
  const rule = `must be a whole number from ${least} to ${most}`;
  return z.preprocess(
    (written) => (typeof written === 'string' && /^\d+$/.test(written) ? Number(written) : written),
    z.number({ error: rule }).int(rule).min(least, rule).max(most, rule),
  );
}

const flag = z.preprocess(
  (written) => (written === 'true' ? true : written === 'false' ? false : written),
  z.boolean({ error: 'must be true or false' }),
);

/** A list; one bare value is a list of one. */
function listOf<Item extends z.ZodType>(item: Item) {
  return z.preprocess((written) => (typeof written === 'string' ? [written] : written), z.array(item));
}

const url = text.refine((written) => {
  const parsed = URL.parse(written);
  return parsed !== null && (parsed.protocol === 'https:' || parsed.protocol === 'http:');
}, 'must be an http:// or https:// address');

const phone = text.regex(/^\+[1-9]\d{6,14}$/, 'must be a number in international form: +14155550123');

/** UK, for one, is an alias of GB that telephone libraries do not know: only the code itself is taken. */
function isCountry(code: string): boolean {
  return /^[A-Z]{2}$/.test(code) && REGIONS.of(code) !== undefined && new Intl.Locale(`und-${code}`).region === code;
}
const REGIONS = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });
const country = text.refine(isCountry, 'must be an ISO country code of two capitals, such as US, GB or DE');

const agent = z.strictObject({
  name: text.optional(),
  direction: z.enum(['inbound', 'outbound']).optional(),
  number: phone.optional(),
});

const reconcileSchema = z.strictObject({
  every: duration(MINUTE, DAY, 'from 1m to 1d').default(10 * MINUTE),
  look_back: duration(10 * MINUTE, 30 * DAY, 'from 10m to 30d').default(6 * HOUR),
  grace: duration(0, DAY, 'at most 1d').default(25 * MINUTE),
});

/** For a source that does not reconcile by itself, and is told to. */
export const RECONCILE_DEFAULTS = reconcileSchema.parse({});

export const sourceSchema = z.strictObject({
  provider: z.enum(['synthflow']).default('synthflow'),
  region: z.enum(['global', 'us', 'eu']).default('global'),
  webhook_secrets: listOf(text).default([]),
  path_token: listOf(
    text.regex(
      /^[A-Za-z0-9._~-]{8,}$/,
      'must be at least 8 characters out of A-Z a-z 0-9 . _ ~ -, as it is part of the URL',
    ),
  ).default([]),
  api_key: text.optional(),
  workspace_id: text.optional(),
  base_url: url.optional(),
  trust: z.enum(['signature', 'api', 'none']).default('signature'),
  revisions: z.enum(['additive', 'apply', 'park']).default('additive'),
  keep: z
    .strictObject({ transcript: flag.default(true), raw: flag.default(true) })
    .default({ transcript: true, raw: true }),
  default_country: country.optional(),
  agents: z.record(text, agent).default({}),
  reconcile: reconcileSchema.optional(),
});

/** The rest of a connection is checked by the schema of its kind. */
export const connectionSchema = z.looseObject({ kind: text });

const retries = z.strictObject({
  attempts: integer(1, 100).default(10),
  base: duration(10, HOUR, 'from 10ms to 1h').default(SECOND),
  cap: duration(10, DAY, 'from 10ms to 1d').default(10 * MINUTE),
});

export const routeSchema = z.strictObject({
  name,
  to: text,
  mapping: text,
  /** Checked by the mapping language. */
  when: z.unknown().optional(),
  also: flag.default(false),
  retries: retries.default({ attempts: 10, base: SECOND, cap: 10 * MINUTE }),
});

const VARIABLE_RULE = 'must be a path such as person.firstname, a number, true, false, or { value: … }';
const inboundVariable = z.union(
  [text, z.number(), z.boolean(), z.strictObject({ value: z.union([z.string(), z.number(), z.boolean()]) })],
  { error: VARIABLE_RULE },
);

export const inboundSchema = z.strictObject({
  look_up: text,
  within: duration(100, 8 * SECOND, 'from 100ms to 8s').default(2 * SECOND),
  guard: z.enum(['token', 'none']).default('token'),
  variables: z.record(text, inboundVariable).default({}),
  agents: z
    .array(z.strictObject({ when: z.unknown().optional(), agent: text.optional(), decline: flag.default(false) }))
    .default([]),
});

export const retentionSchema = z.strictObject({
  ledger: duration(DAY, 3650 * DAY, 'from 1d to 3650d').default(90 * DAY),
  delivered: duration(HOUR, 3650 * DAY, 'from 1h to 3650d').default(7 * DAY),
  stopped: duration(DAY, 3650 * DAY, 'from 1d to 3650d').default(30 * DAY),
});

export const alertsSchema = z.strictObject({ to: text });

export const wrapupSchema = z.strictObject({
  sources: z.record(name, sourceSchema),
  connections: z.record(name, connectionSchema).default({}),
  routes: z.array(routeSchema).default([]),
  inbound: inboundSchema.optional(),
  alerts: alertsSchema.optional(),
  retention: retentionSchema.default({ ledger: 90 * DAY, delivered: 7 * DAY, stopped: 30 * DAY }),
});

/**
 * wrapup.yaml, its shape checked and its defaults filled in. A route that has no shape at all is undefined, so that the
 * others keep their index.
 */
export type WrapupFile = Omit<z.output<typeof wrapupSchema>, 'routes'> & {
  routes: (z.output<typeof routeSchema> | undefined)[];
  /** Connections in the file with the kind they name, also those that have mistakes. */
  declared: Record<string, string | undefined>;
};
