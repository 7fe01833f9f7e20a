import { isIP } from 'node:net';
import { closed } from '@wrapup/findings';
import { z } from 'zod';
import { parseBlock } from './address.ts';
import { type AllowPrivate, isPrivate, refusalOf } from './address-policy.ts';
import { readSecret } from './signature.ts';

const METHODS = ['POST', 'PUT', 'PATCH'] as const;

/** Headers that belong to the request itself: set from outside they would break it, or what it promises. */
const OURS =
  /^(?:webhook-.*|host|content-(?:length|type|encoding)|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|accept-encoding|proxy-.*)$/i;

const url = z.string().superRefine((written, context) => {
  const problem = problemOf(written);
  if (problem) context.addIssue({ code: 'custom', message: problem });
});

function problemOf(written: string): string | undefined {
  const parsed = URL.parse(written.trim());
  if (!parsed || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:'))
    return 'must be an https:// or http:// address';
  if (parsed.username || parsed.password)
    return 'must carry no name or password; put them into headers: { authorization: … }';
  if (parsed.hash) return 'must have no # part; it would not be sent';
  return undefined;
}

const header = z
  .union([z.string(), z.number(), z.boolean()])
  .transform(String)
  .refine((value) => /^[\t\x20-\x7e\x80-\xff]*$/.test(value), 'must be one line of plain text');

const headers = z.record(
  z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be the name of a header')
    .refine((name) => !OURS.test(name), 'is set by Wrapup itself'),
  header,
);

const secret = z
  .string()
  .trim()
  .refine(
    (text) => readSecret(text) !== undefined,
    'must be whsec_ and 24 to 64 bytes in base64; make one with: echo "whsec_$(openssl rand -base64 32)"',
  );

/** One bare value is a list of one. */
function listOf<Item extends z.ZodType>(item: Item) {
  return z.preprocess((written) => (typeof written === 'string' ? [written] : written), z.array(item));
}

/** Numbers also as text: that is what an environment variable gives. */
function integer(least: number, most: number) {
  const rule = `must be a whole number from ${least} to ${most}`;
  return z.preprocess(
    (written) => (typeof written === 'string' && /^\d+$/.test(written) ? Number(written) : written),
    z.number({ error: rule }).int(rule).min(least, rule).max(most, rule),
  );
}

const BLOCK_RULE = 'must be true, false, or addresses such as 10.1.2.3 or 10.1.0.0/16';
const allowPrivate = z.preprocess(
  (written) => {
    if (written === 'true' || written === 'false') return written === 'true';
    return typeof written === 'string' ? [written] : written;
  },
  z.union([z.boolean(), z.array(z.string().refine((text) => parseBlock(text) !== undefined, BLOCK_RULE))], {
    error: BLOCK_RULE,
  }),
);

/** Settings of a `kind: http` connection in wrapup.yaml. */
export const httpSettings = closed({
  url: url
    .transform((written) => new URL(written.trim()).href)
    .describe('Where events are sent. Redirects are not followed, so it is the final address'),
  method: z
    .preprocess((written) => (typeof written === 'string' ? written.toUpperCase() : written), z.enum(METHODS))
    .default('POST')
    .describe('Method of the request'),
  headers: headers.default({}).describe('Sent with each event. Their values are secrets'),
  secret: listOf(secret)
    .default([])
    .describe('Standard Webhooks secrets, whsec_…: each signs, several while rotating. None: events are not signed'),
  timeout: integer(100, 25_000)
    .default(15_000)
    .describe('Milliseconds from the first byte sent to the last byte of the answer'),
  allow_private: allowPrivate
    .default(false)
    .describe(
      'Addresses that are not public. true: private networks and this machine; a list: the addresses and blocks in it. Metadata services of clouds only when a list names them',
    ),
  at_once: integer(1, 50).default(5).describe('Events in flight at once, per batch'),
  retry_on: z
    .preprocess(
      (written) => (typeof written === 'number' || typeof written === 'string' ? [written] : written),
      z.array(integer(400, 499)),
    )
    .default([])
    .describe('Statuses from 400 to 499 that mean "not now" here: tried again instead of parked'),
}).superRefine((settings, context) => {
  // Also called where the url itself is wrong.
  const refused = URL.canParse(settings.url) ? literalRefusal(settings) : undefined;
  if (refused) context.addIssue({ code: 'custom', path: ['url'], message: `${refused.problem}; ${refused.hint}` });
});

export type HttpSettings = z.output<typeof httpSettings>;

/** Name or address, as URL parsers write it: `2130706433` and `0x7f.1` are 127.0.0.1 here. Without brackets. */
export function hostOf(settings: Pick<HttpSettings, 'url'>): string {
  return new URL(settings.url).hostname.replace(/^\[|\]$/g, '');
}

export function allowedAddresses({ allow_private: allowed }: Pick<HttpSettings, 'allow_private'>): AllowPrivate {
  return typeof allowed === 'boolean' ? allowed : allowed.flatMap((text) => parseBlock(text) ?? []);
}

/** Why the address that the url itself names may not be connected to; undefined for a name, or when it may. */
export function literalRefusal(settings: Pick<HttpSettings, 'url' | 'allow_private'>) {
  const host = hostOf(settings);
  const is = isIP(host) > 0 ? refusalOf(host, allowedAddresses(settings)) : undefined;
  return is === undefined ? undefined : { problem: `leads to ${is}, which is not connected to`, hint: hintFor(host) };
}

/** What to do when an address is refused. */
export function hintFor(address: string): string {
  return isPrivate(address)
    ? 'if it is meant to be there, write allow_private: true, or list its address there'
    : 'correct it; such an address is only connected to when allow_private lists it';
}
