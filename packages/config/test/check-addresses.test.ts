import { test } from 'vitest';
import { expectFinding, type Mistake, ROUTES, SOURCES, source } from './support/mistakes.ts';

const MISTAKES: Mistake[] = [
  [
    'a CRM is reached without encryption',
    `${SOURCES}connections: { sales: { kind: hubspot, access_token: x, base_url: »"http://hubspot.example.com" } }\n${ROUTES}`,
    { code: 'plain-http', says: /connections\.sales\.base_url: http:\/\/hubspot\.example\.com is not/, hint: /https/ },
  ],
  [
    'Synthflow is reached without encryption',
    source('base_url: »http://api.synthflow.example'),
    { code: 'plain-http', says: /sources\.main\.base_url/ },
  ],
];

test.each(MISTAKES)('%s', (_what, marked, wanted) => expectFinding(marked, wanted));
