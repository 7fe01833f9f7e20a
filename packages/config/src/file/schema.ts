/**
 * The shape of wrapup.yaml. What goes beyond shape (names that must exist, rules between sections) is in `check-*.ts`.
 *
 * Numbers and switches also accept text, because that is what an environment variable gives.
 */
import { isCountry } from '@wrapup/call';
import { closed } from '@wrapup/findings';
import { isTimeZone, officeHoursSchema } from '@wrapup/mapping';
import { z } from 'zod';
import { parseDuration } from './units.ts';

/** Names of sources, connections, routes and records: they become parts of keys and of queue names. */
export const NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
/** Characters; longer names make keys that CRMs cut. */
const MAX_NAME_LENGTH = 40;
const NAME_RULE = `must be small letters, digits and single dashes, at most ${MAX_NAME_LENGTH} characters`;

/** Whether a text can be the name of a source, connection, route, record or client. */
export function isName(text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && NAME.test(text);
}

const name = z.string().max(MAX_NAME_LENGTH, NAME_RULE).regex(NAME, NAME_RULE).meta({ id: 'name' });
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

const country = text.refine(isCountry, 'must be an ISO country code of two capitals, such as US, GB or DE');

/** Calls that are read from the API of a source because of webhooks, a minute, where its file does not say how many. */
export const READS_PER_MINUTE = 300;

const agent = closed({
  name: text.optional().describe('What the agent is called'),
  direction: z.enum(['inbound', 'outbound']).optional().describe('Which way its calls go'),
  number: phone.optional().describe('Its number, +14155550123: tells the two ends of a call apart'),
});

const reconcileSchema = closed({
  every: duration(MINUTE, DAY, 'from 1m to 1d')
    .default(10 * MINUTE)
    .describe('How often calls are listed'),
  look_back: duration(10 * MINUTE, 30 * DAY, 'from 10m to 30d')
    .default(6 * HOUR)
    .describe('How far back'),
  grace: duration(0, DAY, 'at most 1d')
    .default(25 * MINUTE)
    .describe('How long after its end a call may still be on its way'),
});

/** For a source with an `api_key` that says nothing of it, and for one that is reconciled by a command. */
export const RECONCILE_DEFAULTS = reconcileSchema.parse({});

const VARIABLE_RULE = 'must be a path such as person.firstname, a number, true, false, or { value: … }';
const inboundVariable = z.union(
  [text, z.number(), z.boolean(), closed({ value: z.union([z.string(), z.number(), z.boolean()]) })],
  { error: VARIABLE_RULE },
);

/** Own keys of the metadata of an answer, and the characters of each. */
const MAX_METADATA = 20;
const MAX_METADATA_KEY = 64;

export const inboundSchema = closed({
  look_up: text.describe('The connection to look the caller up in'),
  within: duration(100, 8 * SECOND, 'from 100ms to 8s')
    .default(2 * SECOND)
    .describe('Time limit of the look-up: later answers of the CRM are not used'),
  guard: z
    .enum(['token', 'none'])
    .default('token')
    .describe('none gives CRM data about any number to anyone who asks: check warns'),
  variables: z
    .record(text, inboundVariable)
    .default({})
    .describe('By name of the agent’s variable: a path such as person.firstname, or a constant as { value: … }'),
  personal: closed({
    when: z
      .unknown()
      .refine(
        (written) => written !== undefined,
        'must say the second fact, such as { path: person.phone_verified, equals: true }',
      )
      .describe('A second fact beside the number, which can be forged: a condition on the caller or the line'),
    variables: z.record(text, inboundVariable).describe('As variables, given only for callers for whom it holds'),
  })
    .optional()
    .describe('Variables with personal data, and what must hold before they are given'),
  metadata: z
    .record(text.max(MAX_METADATA_KEY, `must be at most ${MAX_METADATA_KEY} characters`), inboundVariable)
    .refine((all) => Object.keys(all).length <= MAX_METADATA, `must have at most ${MAX_METADATA} keys`)
    .default({})
    .describe(
      'Own keys of the answer’s metadata, which the agent does not hear of and which Synthflow keeps with the call: as variables',
    ),
  office_hours: officeHoursSchema.optional().describe('When the office is open: what hours of a rule goes by'),
  agents: z
    .array(
      closed({
        when: z.unknown().optional().describe('Which calls; every call when absent'),
        hours: z
          .enum(['open', 'closed'])
          .optional()
          .describe('Only while office_hours say that the office is open, or that it is closed'),
        agent: text.optional().describe('Id of the agent that takes the call'),
        decline: flag.default(false).describe('true: the call is declined'),
      }),
    )
    .default([])
    .describe('The first rule that matches decides'),
});

const RECONCILE_RULE = 'must be false, or a section such as { every: 10m, look_back: 6h, grace: 25m }';

export const sourceSchema = closed({
  key_prefix: name
    .optional()
    .describe(
      'The name that the source had in wrapup.yaml before it moved into a client’s file: its keys in CRMs keep it, and webhooks to that address are still taken',
    ),
  provider: z.enum(['synthflow']).default('synthflow').describe('The only one so far'),
  region: z
    .enum(['global', 'us', 'eu'])
    .default('global')
    .describe('Which API host knows the workspace. A key used in another region answers 401'),
  webhook_secrets: listOf(text)
    .default([])
    .describe('Secrets that sign webhooks, several while rotating. Required under trust: signature'),
  path_token: listOf(
    text.regex(
      /^[A-Za-z0-9._~-]{8,}$/,
      'must be at least 8 characters out of A-Z a-z 0-9 . _ ~ -, as it is part of the URL',
    ),
  )
    .default([])
    .describe('Secret part of the address, several while rotating. Once set, the address without it is 404'),
  api_key: text.optional().describe('For reading calls again (trust: api), reconciliation and backfill'),
  workspace_id: text.optional().describe('For Synthflow’s webhook logs'),
  base_url: url.optional().describe('Where Synthflow’s API is, when not where the region says: a sandbox, a proxy'),
  trust: z
    .enum(['signature', 'api', 'none'])
    .default('signature')
    .describe(
      'How far a webhook is believed. signature: what a signed one says, though the signature covers the call id only; api: every call is read again from Synthflow; none: whatever is posted',
    ),
  revisions: z
    .enum(['additive', 'apply', 'park'])
    .default('additive')
    .describe(
      'A call that comes again with other content. additive: what was absent is filled in, but for addresses, links and new records that only a signature vouches for, and what contradicts is parked; apply: the newer is written; park: always ask. With api_key a revision is confirmed at Synthflow first',
    ),
  reads_per_minute: integer(1, 10_000)
    .default(READS_PER_MINUTE)
    .describe('Calls that are read from Synthflow because of webhooks, at most; beyond it webhooks wait in the queue'),
  keep: closed({
    transcript: flag.default(true).describe('false: the transcript is dropped before anything is stored'),
    raw: flag.default(true).describe('false: what no mapping root reads is dropped before anything is stored'),
  })
    .default({ transcript: true, raw: true })
    .describe('What of a payload is kept'),
  default_country: country
    .optional()
    .describe('ISO country code that numbers without a + belong to. Without it such numbers match no person'),
  agents: z.record(text, agent).default({}).describe('By agent id: what webhooks do not say of an agent'),
  reconcile: z
    .preprocess(
      (written) => (written === 'false' ? false : written),
      z.union([z.boolean().refine((on) => !on, RECONCILE_RULE), reconcileSchema], { error: RECONCILE_RULE }),
    )
    .optional()
    .describe('Looks for calls whose webhook never came. On where there is an api_key, every 10m, 6h back; false: off'),
  inbound: inboundSchema
    .optional()
    .describe(
      'What to answer before an inbound call of this source connects; where there is one source it may stand at the top',
    ),
});

const PERCENT_RULE = 'must be a percentage from 0% to 90%, such as 5%';
const percentage = z.string({ error: PERCENT_RULE }).transform((written, context) => {
  const number = /^(\d{1,2}(?:\.\d+)?)\s*%$/.exec(written.trim())?.[1];
  if (number !== undefined && Number(number) <= 90) return Number(number) / 100;
  context.addIssue({ code: 'custom', message: PERCENT_RULE });
  return z.NEVER;
});

/** Part of a connection's quota that is left to other programs when nothing is said. */
const RESERVE = '5%';
const quota = closed({
  reserve: percentage
    .prefault(RESERVE)
    .describe('Part of every limit of the CRM that is left to other programs: a percentage from 0% to 90%'),
});

/** The rest of a connection is checked by the schema of its kind. */
export const connectionSchema = z.looseObject({
  kind: text.describe('Which CRM: hubspot, salesforce, http'),
  quota: quota.prefault({}).describe('How much of the account’s quota is left to other programs'),
  gather: duration(0, MINUTE, 'from 0s to 1m')
    .default(0)
    .describe('How long calls that have just ended wait for others, to share requests: from 0s to 1m'),
});

const retries = closed({
  attempts: integer(1, 100).default(10).describe('Tries in all'),
  base: duration(10, HOUR, 'from 10ms to 1h').default(SECOND).describe('The wait is at random up to base · 2ⁿ'),
  cap: duration(10, DAY, 'from 10ms to 1d')
    .default(10 * MINUTE)
    .describe('And at most this'),
});

export const routeSchema = closed({
  name: name.describe('Permanent: part of the keys of what is noted'),
  from: z
    .union([name, z.array(name).min(1)])
    .optional()
    .describe('The source whose calls it takes, or a list of sources; needed as soon as there are two'),
  to: text.describe('Name of a connection'),
  mapping: text.describe('A file inside the config folder'),
  /** Checked by the mapping language. */
  when: z.unknown().optional().describe('Which calls; every call when absent'),
  also: flag.default(false).describe('Delivers in addition to the route that matched before on the same connection'),
  retries: retries
    .default({ attempts: 10, base: SECOND, cap: 10 * MINUTE })
    .describe('Patience with a CRM that fails. Waiting for quota or a broken connection burns no try'),
});

export const retentionSchema = closed({
  ledger: duration(DAY, 3650 * DAY, 'from 1d to 3650d')
    .default(90 * DAY)
    .describe('What became of each call. No personal data'),
  delivered: duration(HOUR, 3650 * DAY, 'from 1h to 3650d')
    .default(7 * DAY)
    .describe('Payloads of calls that were written. Longer costs memory in Redis and lets a replay reach further back'),
  stopped: duration(DAY, 3650 * DAY, 'from 1d to 3650d')
    .default(30 * DAY)
    .describe('Payloads of calls that are parked or dead. After that they can only be backfilled'),
});

export const alertsSchema = closed({
  to: text.describe('Name of a connection of kind http'),
  lost_fields: z
    .number()
    .min(0)
    .max(100)
    .default(10)
    .describe(
      'Per cent of a connection’s deliveries of the last hour that may lose a field (`wrapup omissions`) before a notice goes out; 100: never',
    ),
});

const AT_RULE = 'must be a time of day such as "08:00"';
const timeOfDay = z.string({ error: AT_RULE }).transform((written, context) => {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(written.trim()) ?? [];
  if (hours !== undefined) return Number(hours) * 60 + Number(minutes);
  context.addIssue({ code: 'custom', message: AT_RULE });
  return z.NEVER;
});

const ZONE_RULE = 'must be the IANA name of a time zone: America/New_York, Europe/Berlin';

export const digestSchema = closed({
  name: name.describe('Permanent: what was sent is noted under it'),
  to: text.describe('Name of a connection of kind http'),
  every: z
    .enum(['day', 'week'])
    .default('week')
    .describe('day: each day, about the day before; week: on Mondays, about the week before'),
  at: timeOfDay.prefault('08:00').describe('When it is sent, on the clock of time_zone'),
  time_zone: text
    .refine(isTimeZone, ZONE_RULE)
    .default('UTC')
    .describe('IANA name of the time zone by which its days begin'),
  client: name
    .optional()
    .describe('Only in wrapup.yaml: the client whose calls it is about. Without it: of the whole installation'),
  mapping: text
    .optional()
    .describe('A file inside the config folder that says what is sent, as http/digest unless it is named'),
});

export const dashboardSchema = closed({
  password: text
    .optional()
    .describe('Of the login that is bound to the client: its user is the client’s name, and it sees nothing else'),
});

export const clientVariablesSchema = z.record(z.union([z.literal('*'), name]), listOf(text));

export const wrapupSchema = closed({
  sources: z.record(name, sourceSchema).default({}).describe('Synthflow workspaces that send webhooks, by name'),
  connections: z.record(name, connectionSchema).default({}).describe('CRM accounts and HTTP endpoints, by name'),
  routes: z
    .array(routeSchema)
    .default([])
    .describe('Which calls go where: on each connection the first that matches a call delivers it'),
  inbound: inboundSchema
    .optional()
    .describe('What to answer before an inbound call connects, where there is one source; else it stands inside each'),
  alerts: alertsSchema.optional().describe('Where notices go about what needs a person'),
  digests: z
    .array(digestSchema)
    .default([])
    .describe('Summaries of a day or a week of calls, sent over connections of kind http'),
  client_variables: clientVariablesSchema
    .default({})
    .describe(
      'Only in wrapup.yaml: variables that the file of a client may name besides those that begin with its own name, by client; those of "*" any may name',
    ),
  encryption_key: text
    .optional()
    .describe(
      'Only in the file of a client: its own keys for what is kept of it, in the form of WRAPUP_ENCRYPTION_KEY; the first encrypts, several while rotating. Without it the installation’s key is used',
    ),
  dashboard: dashboardSchema
    .optional()
    .describe('Only in the file of a client: a login to the dashboard that is bound to it'),
  retention: retentionSchema
    .default({ ledger: 90 * DAY, delivered: 7 * DAY, stopped: 30 * DAY })
    .describe('How long things are kept in Redis'),
});

/**
 * wrapup.yaml, its shape checked and its defaults filled in. A route or digest that has no shape at all is undefined, so that
 * the others keep their index.
 */
export type WrapupFile = Omit<z.output<typeof wrapupSchema>, 'routes' | 'digests'> & {
  routes: (z.output<typeof routeSchema> | undefined)[];
  digests: (z.output<typeof digestSchema> | undefined)[];
  /** Connections in the file with the kind they name, also those that have mistakes. */
  declared: Record<string, string | undefined>;
};
