import { test } from 'vitest';
import { expectFinding, type Mistake, ROUTES, SOURCES } from './support/mistakes.ts';

const MISTAKES: Mistake[] = [
  [
    'a kind is mistyped',
    `${SOURCES}connections: { sales: { kind: »hubsopt, access_token: x } }\n${ROUTES}`,
    { code: 'unknown-kind', says: /unknown kind "hubsopt"/, hint: /"hubspot"/ },
  ],
];

test.each(MISTAKES)('%s', (_what, marked, wanted) => expectFinding(marked, wanted));
