import { test } from 'vitest';
import { expectFinding, inbound, type Mistake, REST, SOURCES } from './support/mistakes.ts';

const TWO = `sources:
  main: { webhook_secrets: ["\${SYNTHFLOW_WEBHOOK_SECRET}"], path_token: 9f86d081884c7d659a2feaa0c55ad015 }
  other:
    webhook_secrets: [c1a5e09d3f7b42ac1a5e09d3f7b42a5e]
    path_token: 2c26b46b68ffc68ff99b453c1d304134
`;
const OF_MAIN = REST.replace('{ name: calls,', '{ name: calls, from: main,');

const MISTAKES: Mistake[] = [
  [
    'inbound does not say whose callers it answers',
    `${TWO}${OF_MAIN}»inbound: { look_up: sales }\n`,
    { code: 'no-from', says: /whose callers it answers, and there are 2/, hint: /sources\.main\.inbound/ },
  ],
  [
    'inbound of a source looks up nowhere',
    `${TWO}    inbound: { look_up: »salse }\n${OF_MAIN}`,
    { code: 'unknown-connection', says: /sources\.other\.inbound: there is no connection/ },
  ],
  [
    'inbound of a source reads what is known only afterwards',
    `${TWO}    inbound: { look_up: sales, variables: { outcome: »call.outcome } }\n${OF_MAIN}`,
    { code: 'unknown-path', says: /sources\.other\.inbound\.variables\.outcome/ },
  ],
  [
    'inbound looks up nowhere',
    `${SOURCES}${REST}inbound: { look_up: »salse }\n`,
    { code: 'unknown-connection', says: /inbound: there is no connection/ },
  ],
  [
    'inbound has no token',
    `${SOURCES}${REST}inbound: { look_up: »sales }\n`,
    { code: 'no-path-token', says: /neutral answer/, severity: 'warning' },
  ],
  [
    'inbound is unguarded',
    `${SOURCES}${REST}inbound: { look_up: sales, guard: »none }\n`,
    { code: 'open-directory', says: /anyone who asks/, severity: 'warning' },
  ],
  [
    'inbound declines every call',
    `${SOURCES}${REST}inbound: { look_up: sales, guard: none, agents: [ »{ decline: true } ] }\n`,
    { code: 'bad-value', says: /declines every call/ },
  ],
  [
    'a variable of an inbound call is no path',
    inbound('variables: { greeting: »Hello there }'),
    { code: 'bad-path', says: /variables\.greeting: "Hello there" is not a path/, hint: /\{ value: … \}/ },
  ],
  [
    'a variable of an inbound call reads what is known only afterwards',
    inbound('variables: { outcome: »call.outcome }'),
    { code: 'unknown-path', says: /not known before the call connects/ },
  ],
  [
    'a variable of an inbound call reads records that the CRM is not asked for',
    inbound('variables: { open_ticket: "»person.quotes[0].hs_title" }'.replace('"»', '»"')),
    { code: 'unknown-path', says: /only properties of the person itself/, hint: /deals/ },
  ],
  [
    'a variable of an inbound call names no one deal',
    inbound('variables: { open_deal: »person.deals }'),
    { code: 'unknown-path', says: /does not name one value/, hint: /person\.deals\[0\]/ },
  ],
  [
    'a variable of an inbound call has the name of one that Wrapup sets',
    inbound('variables: { crm_person_id: »person.id }'),
    { code: 'reserved-name', says: /set by Wrapup/ },
  ],
  [
    'a variable of an inbound call is a list',
    inbound('variables: { deals: »[person.firstname] }'),
    { code: 'bad-value', says: /variables\.deals must be a path such as person\.firstname/ },
  ],
  [
    'personal data asks for no second fact',
    inbound('personal: »{ variables: { balance: person.balance } }'),
    { code: 'bad-value', says: /personal\.when must say the second fact/ },
  ],
  [
    'personal data is given to every caller already',
    inbound(
      'variables: { tier: person.tier }\n  personal: { when: { path: person.ok, equals: true }, variables: { tier: »person.tier } }',
    ),
    { code: 'duplicate-name', says: /inbound\.variables tells tier to every caller/ },
  ],
  [
    'the second fact is known only afterwards',
    inbound('personal: { when: »{ path: vars.pin, equals: "1234" }, variables: { tier: person.tier } }'),
    { code: 'unknown-path', says: /inbound\.personal: "vars\.pin" is not known before/ },
  ],
  [
    'a variable with personal data is no path',
    inbound('personal: { when: { path: person.ok, equals: true }, variables: { tier: »Hello there } }'),
    { code: 'bad-path', says: /inbound\.personal\.variables\.tier: "Hello there" is not a path/ },
  ],
  [
    'a rule for inbound calls reads what is known only afterwards',
    inbound('agents: [ { agent: a1, when: »{ path: call.outcome, equals: connected } } ]'),
    { code: 'unknown-path', says: /agents\[0\]: "call\.outcome" is not known before/ },
  ],
  [
    'metadata of an answer is no path',
    inbound('metadata: { campaign: »Spring sale }'),
    { code: 'bad-path', says: /inbound\.metadata\.campaign: "Spring sale" is not a path/, hint: /\{ value: … \}/ },
  ],
  [
    'metadata has the name of a key that Wrapup sets',
    inbound('metadata: { crm_person_id: »person.id }'),
    { code: 'reserved-name', says: /inbound\.metadata\.crm_person_id is set by Wrapup/ },
  ],
  [
    'metadata has too many keys',
    inbound(`metadata: »{ ${Array.from({ length: 21 }, (_, n) => `k${n}: 1`).join(', ')} }`),
    { code: 'bad-value', says: /metadata must have at most 20 keys/ },
  ],
  [
    'an open record names no value',
    inbound('variables: { deal: »person.open_deal }'),
    { code: 'unknown-path', says: /does not name one value of the open_deal/, hint: /person\.open_deal\.<property>/ },
  ],
  [
    'an open record is of another CRM',
    inbound('variables: { deal: »person.open_opportunity.Name }'),
    { code: 'unknown-path', says: /only properties of the person itself .* open_deal, open_ticket/ },
  ],
  [
    'a rule for inbound calls hangs on an open record',
    inbound('agents: [ { agent: a1, when: »{ path: person.open_deal.amount, exists: true } } ]'),
    { code: 'unknown-path', says: /only properties of the person itself/ },
  ],
  [
    'a rule for inbound calls asks whether there is an open record',
    inbound('agents: [ { agent: a1, when: »{ path: person.open_deal, exists: false } } ]'),
    { code: 'unknown-path', says: /only properties of the person itself/, hint: /could not be read in time/ },
  ],
  [
    'a rule for inbound calls asks whether there are records read along',
    inbound('agents: [ { agent: a1, when: »{ path: person.deals, exists: false } } ]'),
    { code: 'unknown-path', says: /only properties of the person itself/ },
  ],
  [
    'a rule goes by office hours that are not there',
    inbound('agents: [ { agent: a1, hours: »closed } ]'),
    { code: 'missing-key', says: /agents\[0\] goes by office hours/, hint: /weekdays: "09:00-17:30"/ },
  ],
  [
    'office hours are of no zone',
    inbound('office_hours: { time_zone: »Europe/Bielefeld, weekdays: "09:00-17:30" }'),
    { code: 'bad-value', says: /office_hours\.time_zone must be the IANA name/ },
  ],
  [
    'office hours end before they begin',
    inbound('office_hours: { monday: »"17:30-09:00" }'),
    { code: 'bad-value', says: /office_hours\.monday.* must be a time of one day/ },
  ],
  [
    'office hours name a day that is none',
    inbound('office_hours: { »mondays: "09:00-17:30", tuesday: "09:00-17:30" }'),
    { code: 'unknown-key', says: /mondays/, hint: /monday/ },
  ],
  [
    'a holiday is no date',
    inbound('office_hours: { weekdays: "09:00-17:30", holidays: [»2026-02-30] }'),
    { code: 'bad-value', says: /holidays\[0\] must be a date such as 2026-12-25/ },
  ],
  [
    'a rule for inbound calls hangs on records read along',
    inbound('agents: [ { decline: true, when: »{ not: { path: "person.deals[0].amount", exists: true } } } ]'),
    { code: 'unknown-path', says: /only properties of the person itself/ },
  ],
];

test.each(MISTAKES)('%s', (_what, marked, wanted) => expectFinding(marked, wanted));
