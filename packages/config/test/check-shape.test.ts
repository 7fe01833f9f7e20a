import { test } from 'vitest';
import { expectFinding, type Mistake, REST, ROUTES, route, SOURCES, source } from './support/mistakes.ts';

const MISTAKES: Mistake[] = [
  [
    'a key at the top is mistyped',
    `»soruces: {}\n${SOURCES}${REST}`,
    { code: 'unknown-key', says: /unknown key "soruces" at the top/ },
  ],
  [
    'a section key is mistyped',
    source('»regoin: us'),
    { code: 'unknown-key', says: /"regoin" in sources\.main/, hint: /did you mean "region"/ },
  ],
  [
    'a choice is not offered',
    source('region: »uk'),
    { code: 'bad-value', says: /sources\.main\.region is none of global, us, eu: "uk"/, hint: /us/ },
  ],
  [
    'a list stands where text belongs',
    source('workspace_id: »[1]'),
    { code: 'bad-value', says: /workspace_id must be text, not a list/ },
  ],
  ['a key has no value', source('»workspace_id:'), { code: 'bad-value', says: /workspace_id has no value/ }],
  [
    'a name has capitals',
    `sources:\n  »Main: { webhook_secrets: ["\${SYNTHFLOW_WEBHOOK_SECRET}"] }\n${REST}`,
    { code: 'bad-name', says: /"Main" must be small letters/, hint: /permanent/ },
  ],
  [
    'a route has no good name',
    route('{ name: »My Route, to: sales, mapping: mappings/hubspot.yaml }'),
    { code: 'bad-name', says: /routes\[0\]\.name must be small letters/ },
  ],
  [
    'a duration has no unit',
    source('api_key: k\n    reconcile: { every: »10 }'),
    { code: 'bad-value', says: /every must be a duration such as/ },
  ],
  [
    'a duration is out of range',
    source('api_key: k\n    reconcile: { every: »2s }'),
    { code: 'bad-value', says: /every must be from 1m to 1d/ },
  ],
  [
    'a country is no ISO code',
    source('default_country: »UK'),
    { code: 'bad-value', says: /default_country must be an ISO country code/ },
  ],
  [
    'an agent number is not international',
    source('agents: { a1: { number: »"0171 5550123" } }'),
    { code: 'bad-value', says: /international form/ },
  ],
  [
    'a path token is short',
    source('path_token: [»"abc"]'),
    { code: 'bad-value', says: /path_token\[0\] must be at least 8/ },
  ],
  [
    'a base_url is no address',
    source('base_url: »localhost:8090'),
    { code: 'bad-value', says: /base_url must be an http/ },
  ],
  [
    'a required key is missing',
    `${SOURCES}connections:\n  »sales: { kind: hubspot }\n${ROUTES}`,
    { code: 'missing-key', says: /connections\.sales\.access_token is required/ },
  ],
  [
    'a required variable is empty',
    `${SOURCES}connections: { sales: { kind: hubspot, access_token: »"\${EMPTY}" } }\n${ROUTES}`,
    { code: 'empty-variable', says: /access_token is required, and EMPTY is empty/ },
  ],
  [
    'a setting of the connection is mistyped',
    `${SOURCES}connections: { sales: { kind: hubspot, »acces_token: x } }\n${ROUTES}`,
    { code: 'unknown-key', says: /"acces_token" in connections\.sales/, hint: /"access_token"/ },
  ],
  [
    'retries are none',
    route('{ name: calls, to: sales, mapping: mappings/hubspot.yaml, retries: { attempts: »0 } }'),
    { code: 'bad-value', says: /attempts must be a whole number from 1 to 100/ },
  ],
];

test.each(MISTAKES)('%s', (_what, marked, wanted) => expectFinding(marked, wanted));
