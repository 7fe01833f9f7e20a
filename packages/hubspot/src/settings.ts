import { z } from 'zod';

/** Settings of a `kind: hubspot` connection in wrapup.yaml. */
export const hubspotSettings = z.strictObject({
  /** Service key or token of a legacy private app (`pat-…`), sent as a bearer token. */
  access_token: z.string().trim().min(1),
  /** Where the API lives; the sandbox, a proxy or a regional host. Default `https://api.hubapi.com`. */
  base_url: z
    .url({ protocol: /^https?$/ })
    .default('https://api.hubapi.com')
    .transform((url) => url.replace(/\/+$/, '')),
  /**
   * Version of HubSpot's API, `YYYY-MM`. Default `2026-09`, supported until March 2028. `v3` leaves the client's own
   * paths as they are, which HubSpot serves until September 2027.
   * https://developers.hubspot.com/changelog/introducing-date-based-api-versioning
   */
  api_version: z
    .string()
    .regex(/^(?:\d{4}-\d{2}|v3)$/, 'a version such as 2026-09')
    .default('2026-09'),
  /** Milliseconds that one request may take. Default 10,000. */
  timeout: z.number().int().min(100).max(120_000).default(10_000),
  /**
   * What to do when the account refuses an optional field: `drop` writes the rest once more without it and notes it on
   * the receipt; `park` leaves the delivery to a person. Default `drop`.
   */
  on_refused_field: z.enum(['drop', 'park']).default('drop'),
  /**
   * What to do where the account has no unique key property and cannot be given one: `park` leaves deliveries to a person,
   * since `wrapup provision` mends it; `id_map` writes all the same and finds records again by remembered ids and by a line
   * with the key in their text. Price: two processes that do not share one Redis can write a call twice. Default `park`.
   */
  without_key: z.enum(['park', 'id_map']).default('park'),
  /** HubSpot account id, for links to records. Found out by `wrapup doctor` when it is absent. */
  portal: z
    .union([z.string().regex(/^\d+$/), z.number().int().positive()])
    .transform(String)
    .optional(),
});

export type HubSpotSettings = z.output<typeof hubspotSettings>;
