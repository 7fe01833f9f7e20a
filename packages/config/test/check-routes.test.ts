import { test } from 'vitest';
import { CONNECTIONS, expectFinding, type Mistake, PLAIN, ROUTES, route, SOURCES } from './support/mistakes.ts';

/** Routes beside two sources. */
const two = (...lines: string[]) =>
  route(...lines).replace('] } }', '] }, other: { webhook_secrets: [c1a5e09d3f7b42ac1a5e09d3f7b42a5e] } }');

const MISTAKES: Mistake[] = [
  [
    'no route exists',
    `${SOURCES}${CONNECTIONS}»routes: []\n`,
    { code: 'no-route', says: /written nowhere/, severity: 'warning' },
  ],
  [
    'a connection is not used',
    `${SOURCES}connections:\n  sales: { kind: hubspot, access_token: "\${HUBSPOT_ACCESS_TOKEN}" }\n  »spare: { kind: hubspot, access_token: "\${HUBSPOT_ACCESS_TOKEN}" }\n${ROUTES}`,
    { code: 'unused-connection', says: /connections\.spare/, severity: 'warning' },
  ],
  [
    'a route leads nowhere',
    route('{ name: calls, to: »salse, mapping: mappings/hubspot.yaml }'),
    { code: 'unknown-connection', says: /no connection "salse"/, hint: /"sales"/ },
  ],
  [
    'of two sources a route does not say whose calls it takes',
    two('{ name: »calls, to: sales, mapping: mappings/hubspot.yaml }'),
    { code: 'no-from', says: /whose calls it takes, and there are 2/, hint: /from: main, or .*\[main, other\]/ },
  ],
  [
    'a route takes calls of a source that is not there',
    two('{ name: calls, from: »[main, othr], to: sales, mapping: mappings/hubspot.yaml }'),
    { code: 'unknown-source', says: /no source "othr"/, hint: /"other"/ },
  ],
  [
    'a route is never reached from its source',
    two(
      '{ name: calls, from: main, to: sales, mapping: mappings/hubspot.yaml }',
      '{ name: others, from: other, to: sales, mapping: mappings/hubspot.yaml }',
      '{ name: »more, from: [main, other], to: sales, mapping: mappings/hubspot.yaml }',
    ),
    { code: 'unreachable-route', says: /calls takes every call/, severity: 'warning' },
  ],
  [
    'two routes have one name',
    route(
      PLAIN,
      '{ name: »calls, to: sales, mapping: mappings/hubspot.yaml, when: { path: call.outcome, equals: connected } }',
    ),
    { code: 'duplicate-name', says: /already used in line 4/ },
  ],
  [
    'a route is never reached',
    route(PLAIN, '{ name: »more, to: sales, mapping: mappings/hubspot.yaml }'),
    { code: 'unreachable-route', says: /calls takes every call/, severity: 'warning' },
  ],
  [
    'a second route logs the call again',
    route(PLAIN, '{ name: more, to: sales, mapping: mappings/hubspot.yaml, also: »true }'),
    { code: 'second-call-log', says: /must not write a call_log/ },
  ],
  [
    'retries wait longer than their cap',
    route('{ name: calls, to: sales, mapping: mappings/hubspot.yaml, retries: »{ base: 1h, cap: 1m } }'),
    { code: 'bad-value', says: /base is longer/ },
  ],
  [
    'a mapping is not there',
    route('{ name: calls, to: sales, mapping: »mappings/hubspto.yaml }'),
    { code: 'no-mapping', says: /mappings\/hubspto\.yaml/, hint: /mappings\/hubspot\.yaml/ },
  ],
  [
    'a mapping is outside the folder',
    route('{ name: calls, to: sales, mapping: »../hubspot.yaml }'),
    { code: 'no-mapping', says: /inside the folder/ },
  ],
  [
    'a condition reads what cannot be',
    route(
      '{ name: calls, to: sales, mapping: mappings/hubspot.yaml, when: { path: »cal.outcome, equals: connected } }',
    ),
    { code: 'unknown-path', says: /cal/, hint: /call/ },
  ],
];

test.each(MISTAKES)('%s', (_what, marked, wanted) => expectFinding(marked, wanted));
