/** What the demo's installation is: three clients' configuration, what their CRMs hold before, and who calls. */
import { personNumber } from '@wrapup/sandbox';
import { SAMPLE_AGENTS } from '@wrapup/synthflow';

/** One for each sandbox: the installation's own source, and two clients. */
export const SOURCES = ['main', 'acme.main', 'bolt.main'] as const;
export type DemoSource = (typeof SOURCES)[number];
/** Of all calls. */
export const SHARES: Record<DemoSource, number> = { main: 0.5, 'acme.main': 0.3, 'bolt.main': 0.2 };

/** A name in capitals, as variables of a client begin. */
export const prefixOf = (source: DemoSource) => source.replace(/\.?main$/, '').toUpperCase() || 'MAIN';

/** Retries come soon, so that a call that meets a broken CRM is dead within the hour that it ended in. */
const RETRIES = 'retries: { attempts: 4, base: 100ms, cap: 400ms }';

const agents = (outbound: string, inbound: string) => `
    agents:
      "${SAMPLE_AGENTS.outbound}": { name: ${outbound}, direction: outbound, number: "+14155550100" }
      "${SAMPLE_AGENTS.inbound}": { name: ${inbound}, direction: inbound, number: "+14155550101" }`;

const source = (name: DemoSource, people: string) => `
sources:
  main:
    provider: synthflow
    region: us
    webhook_secrets: ["\${${prefixOf(name)}_SECRET}"]
    api_key: "\${${prefixOf(name)}_API_KEY:-}"
    base_url: "\${${prefixOf(name)}_SYNTHFLOW_BASE_URL}"
    default_country: US${people}`;

/** By path from the folder of wrapup.yaml. */
export const FILES: Record<string, string> = {
  'wrapup.yaml': `${source('main', agents('Alice', 'Bruno'))}
connections:
  sales: { kind: hubspot, access_token: "\${MAIN_TOKEN}", base_url: "\${MAIN_HUBSPOT_BASE_URL}" }
routes:
  - { name: sales-calls, to: sales, mapping: mappings/sales.yaml, ${RETRIES} }
`,
  'mappings/sales.yaml': `extends: hubspot/call-log

person:
  fields:
    # The account has no such option as "complaint" yet.
    purchase_topic: { from: vars.topic }
    hs_lead_status:
      from: my.result
      map: { booked: IN_PROGRESS, interested: OPEN, call_back: CONNECTED, do_not_call: UNQUALIFIED }
      default: { value: ATTEMPTED_TO_CONTACT }

deals:
  - name: opportunity
    when: { path: vars.interested, equals: true }
    title: "{{ lead.name | default: lead.phone }}: {{ vars.topic | default: renewal }}"
    pipeline: { value: default }
    stage: { value: qualifiedtobuy }
    fields:
      amount: { from: vars.budget, transform: number }
    associate: [person, call_log]
`,
  'clients/acme.yaml': `${source('acme.main', agents('Nora', 'Felix'))}
connections:
  sales: { kind: hubspot, access_token: "\${ACME_TOKEN}", base_url: "\${ACME_HUBSPOT_BASE_URL}" }
routes:
  - { name: calls, to: sales, mapping: clients/acme/hubspot.yaml, ${RETRIES} }
`,
  'clients/acme/hubspot.yaml': 'extends: hubspot/call-log\n',
  'clients/bolt.yaml': `${source('bolt.main', agents('Iris', 'Theo'))}
connections:
  service: { kind: salesforce, client_id: sandbox-consumer-key, client_secret: "\${BOLT_CLIENT_SECRET}", base_url: "\${BOLT_SALESFORCE_BASE_URL}" }
routes:
  - { name: calls, to: service, mapping: clients/bolt/salesforce.yaml, ${RETRIES} }
`,
  'clients/bolt/salesforce.yaml': 'extends: salesforce/lead-capture\n',
};

/** Every so many-th person is in the CRM before the week; some of them twice, as such lists are. */
const [KNOWN_EVERY, TWICE_EVERY] = [3, 60];

/** What the account of a source holds before the first call. */
export function seedOf(name: DemoSource, calls: number): object {
  const people = Array.from({ length: calls }, (_, n) => personNumber(n));
  const known = people.filter((_, n) => n % KNOWN_EVERY === 0);
  const twice = people.filter((_, n) => n % TWICE_EVERY === 0);
  if (name === 'bolt.main') {
    const leads = [...known, ...twice].map((person, n) => {
      const [FirstName, LastName] = person.name.split(' ');
      return { FirstName, LastName, Phone: person.phone, Company: 'Example Inc', Email: `${n}.${person.email}` };
    });
    return { salesforce: { records: { Lead: leads } } };
  }
  const contacts = [...known, ...twice].map((person, n) => {
    const [firstname, lastname] = person.name.split(' ');
    return { properties: { firstname, lastname, phone: person.phone, email: `${n}.${person.email}` } };
  });
  const topics = ['renewal', 'upgrade', 'pricing', 'support'].map((value) => ({ label: value, value }));
  const topic = { name: 'purchase_topic', label: 'Purchase topic', type: 'enumeration', fieldType: 'select' };
  return { properties: { contacts: [{ ...topic, options: topics }] }, records: { contacts } };
}
