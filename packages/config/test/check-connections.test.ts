import { test } from 'vitest';
import { expectFinding, type Mistake, ROUTES, SOURCES } from './support/mistakes.ts';

const MISTAKES: Mistake[] = [
  [
    'a kind is mistyped',
    `${SOURCES}connections: { sales: { kind: »hubsopt, access_token: x } }\n${ROUTES}`,
    { code: 'unknown-kind', says: /unknown kind "hubsopt"/, hint: /"hubspot"/ },
  ],
  [
    'calls are to be gathered for longer than a minute',
    `${SOURCES}connections: { sales: { kind: hubspot, access_token: x, gather: »2m } }\n${ROUTES}`,
    { code: 'bad-value', says: /from 0s to 1m/ },
  ],
  [
    'a time without a unit is given for gathering',
    `${SOURCES}connections: { sales: { kind: hubspot, access_token: x, gather: »15 } }\n${ROUTES}`,
    { code: 'bad-value', says: /must be a duration such as 2s/ },
  ],
];

test.each(MISTAKES)('%s', (_what, marked, wanted) => expectFinding(marked, wanted));
