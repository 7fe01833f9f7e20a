import { closed } from '@wrapup/findings';
import { z } from 'zod';

/** Where HubSpot's API is. */
export const HUBSPOT_ADDRESS = 'https://api.hubapi.com';

const text = z.string().trim().min(1).optional();

/** Settings of a `kind: hubspot` connection in wrapup.yaml. */
export const hubspotSettings = closed({
  access_token: text.describe('Service key, or the token of a legacy private app (pat-…)'),
  client_id: text.describe('Instead of access_token, an OAuth app that is installed in the account'),
  client_secret: text.describe('Secret of the OAuth app'),
  refresh_token: text.describe('Refresh token that the installation of the OAuth app gave'),
  base_url: z
    .url({ protocol: /^https?$/ })
    .default(HUBSPOT_ADDRESS)
    .transform((url) => url.replace(/\/+$/, ''))
    .describe('Somewhere else: the sandbox, a proxy, a regional host'),
  /** https://developers.hubspot.com/changelog/introducing-date-based-api-versioning */
  api_version: z
    .string()
    .regex(/^(?:\d{4}-\d{2}|v3)$/, 'a version such as 2026-09')
    .default('2026-09')
    .describe(
      'Date-based version of HubSpot’s API; 2026-09 is supported until March 2028. v3: the client’s own paths, which HubSpot serves until September 2027',
    ),
  timeout: z.number().int().min(100).max(120_000).default(10_000).describe('Milliseconds that one request may take'),
  on_refused_field: z
    .enum(['drop', 'park'])
    .default('drop')
    .describe(
      'A field that the account refuses. drop: the rest is written without it, and the receipt says so; park: a person decides',
    ),
  without_key: z
    .enum(['park', 'id_map'])
    .default('park')
    .describe(
      'Where the account has no unique key property and cannot be given one. park: deliveries wait for a person, since `wrapup provision` corrects it; id_map: written all the same, and found again by remembered ids and by a line with the key in their text; two processes that share no Redis can then write a call twice',
    ),
  portal: z
    .union([z.string().regex(/^\d+$/), z.number().int().positive()])
    .transform(String)
    .optional()
    .describe('Account id, for links to records; found out when it is absent'),
}).superRefine((settings, context) => {
  const app = APP.filter((name) => settings[name] !== undefined);
  // Said as zod says it of a key that is simply required, so that it is reported alike.
  const require = (name: string) =>
    context.addIssue({ code: 'invalid_type', expected: 'string', input: undefined, path: [name] });
  if (app.length === 0 && settings.access_token === undefined) require('access_token');
  if (app.length === 0) return;
  for (const name of APP) if (settings[name] === undefined) require(name);
  if (settings.access_token !== undefined)
    context.addIssue({
      code: 'custom',
      path: ['access_token'],
      message: 'does not go together with an OAuth app: a connection has a service key or an app',
    });
});

const APP = ['client_id', 'client_secret', 'refresh_token'] as const;

export type HubSpotSettings = z.output<typeof hubspotSettings>;
