import { closed } from '@wrapup/findings';
import { z } from 'zod';

/** Hosts that are no org of their own: the client credentials flow is not served there. */
const SHARED_LOGIN = /^https:\/\/(?:login|test)\.salesforce\.com$/i;

/** Where a login or an API is. An empty text, as an unset variable gives it, is none. */
const address = z.preprocess(
  (written) => (typeof written === 'string' && written.trim() === '' ? undefined : written),
  z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/+$/, ''))
    .optional(),
);

/** Optional text; an empty one is none. */
const text = z.preprocess(
  (written) => (typeof written === 'string' && written.trim() === '' ? undefined : written),
  z.string().trim().optional(),
);

/** Numbers also as text: that is what an environment variable gives. */
const number = (least: number, most: number) =>
  z.preprocess(
    (written) => (typeof written === 'string' && /^\d+$/.test(written) ? Number(written) : written),
    z.number().int().min(least).max(most),
  );

const truth = z.preprocess(
  (written) => (written === 'true' ? true : written === 'false' ? false : written),
  z.boolean(),
);

/** Settings of a `kind: salesforce` connection in wrapup.yaml. One of three ways to log in: see `flowOf`. */
export const salesforceSettings = closed({
  login_url: address
    .transform((url) => url ?? 'https://login.salesforce.com')
    .describe(
      'The org’s My Domain address, https://acme.my.salesforce.com. Default https://login.salesforce.com; that one and https://test.salesforce.com do for jwt and refresh_token only',
    ),
  client_id: z.string().trim().min(1).describe('Consumer key of the external client app or connected app'),
  client_secret: text.describe('Its consumer secret. Without jwt and refresh_token: the client credentials flow'),
  jwt: closed({
    username: z.string().trim().min(1).describe('Whom Wrapup works as'),
    private_key: z
      .string()
      .trim()
      .transform((pem) => pem.replaceAll('\\n', '\n'))
      .refine((pem) => /-----BEGIN (?:RSA )?PRIVATE KEY-----/.test(pem), 'must be a private key in PEM form')
      .describe('PEM of the key whose certificate the app holds. Line breaks may be written as \\n'),
    audience: address.describe('Whom the assertion is for; default: login_url'),
  })
    .optional()
    .describe('The JWT bearer flow'),
  refresh_token: text.describe('The refresh token of a user who has allowed the app; a rotated one is kept by Wrapup'),
  base_url: address.describe('Somewhere else, for login and API alike: the sandbox, a proxy'),
  /** https://help.salesforce.com/s/articleView?id=005321531&type=1 */
  api_version: z
    .preprocess(
      (written) => (typeof written === 'number' ? written.toFixed(1) : written),
      z.string().regex(/^\d{2,3}\.0$/, 'a version such as 66.0'),
    )
    .refine((version) => Number(version) >= 52, 'must be 52.0 or later: before it duplicate rules cannot be answered')
    .default('66.0')
    .describe('Version of the API; each lives three years at least. 66.0 is Spring ’26'),
  timeout: number(100, 120_000)
    .default(20_000)
    .describe('Milliseconds that one request may take; the org’s own triggers and flows run inside of it'),
  on_refused_field: z
    .enum(['drop', 'park'])
    .default('drop')
    .describe(
      'A field that the org refuses. drop: the rest is written without it, and the receipt says so; park: a person decides',
    ),
  duplicates: z
    .enum(['use_match', 'allow', 'park'])
    .default('use_match')
    .describe(
      'A new person whom a duplicate rule of the org stops. use_match: the call is written to the person that the rule names; allow: created all the same, where the rule lets one; park: a person decides',
    ),
  composite: truth
    .default(false)
    .describe(
      'true: people, calls and tasks of a batch are written in one request, three for 200 calls instead of five; records then name their person by a reference between two parts of it, which no page of Salesforce promises. Ask your org first: npm run live:salesforce. false: people, and what belongs to them, in requests of their own',
    ),
  assignment_rules: truth
    .default(false)
    .describe(
      'true: the org’s assignment rules may give leads and cases to whom they say. false: the mapping’s owner stays',
    ),
}).superRefine((settings, context) => {
  const { jwt, refresh_token, client_secret, login_url, base_url } = settings;
  const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
  if (jwt && refresh_token) issue('jwt', 'is one way to log in and refresh_token another: keep one of them');
  if (!jwt && !refresh_token && !client_secret)
    issue('client_secret', 'is missing: give client_secret, jwt or refresh_token');
  if (!jwt && !refresh_token && client_secret && !base_url && SHARED_LOGIN.test(login_url))
    issue('login_url', 'must be your My Domain address (https://acme.my.salesforce.com) to log in by client_secret');
});

export type SalesforceSettings = z.output<typeof salesforceSettings>;

type Flow = 'jwt' | 'refresh_token' | 'client_credentials';

export function flowOf({ jwt, refresh_token }: SalesforceSettings): Flow {
  if (jwt) return 'jwt';
  return refresh_token ? 'refresh_token' : 'client_credentials';
}

/** Where tokens are had. */
export function loginUrlOf({ base_url, login_url }: SalesforceSettings): string {
  return base_url ?? login_url;
}
