import { closed } from '@wrapup/findings';
import { z } from 'zod';

/** Settings of a `kind: acme` connection in wrapup.yaml. */
export const acmeSettings = closed({
  token: z.string().trim().min(1).describe('API token of the account'),
  base_url: z
    .url({ protocol: /^https?$/ })
    .default('https://api.acme.example')
    .transform((url) => url.replace(/\/+$/, ''))
    .describe('Somewhere else: a fake, a proxy, a regional host'),
  timeout: z.number().int().min(100).max(120_000).default(10_000).describe('Milliseconds that one request may take'),
  on_refused_field: z
    .enum(['drop', 'park'])
    .default('drop')
    .describe(
      'A field that the account refuses. drop: the rest is written without it, and the receipt says so; park: a person decides',
    ),
});

export type AcmeSettings = z.output<typeof acmeSettings>;
