/**
 * npm run screenshots               pictures of recipes, and of the dashboard after a demo's week of 2,000 calls
 * npm run screenshots -- --keep     no pictures: the demo stays, with a call every few seconds, until it is stopped (Ctrl-C)
 * npm run screenshots -- --calls N  so many calls
 *
 * docs/recipes/pictures: what each recipe makes in a CRM, as the sandbox's page shows it. The first test of a recipe that
 * writes to a person is written through the adapter to a sandbox of its own, and the page is photographed.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Destination, describeNote, makeMemoryContext } from '@wrapup/destination';
import { type ProducedRecord, runFixtures } from '@wrapup/fixtures';
import { hubspotKind } from '@wrapup/hubspot';
import type { Plan, Value } from '@wrapup/mapping';
import { salesforceKind } from '@wrapup/salesforce';
import { type RunningSandbox, startSandbox } from '@wrapup/sandbox';
import { type Browser, chromium } from 'playwright-core';
import { takeDashboardPictures } from './demo/pictures.ts';
import { goOn, runWeek } from './demo/week.ts';

const CHROMIUM = process.env.CHROMIUM_PATH || '/usr/bin/chromium';
/** Pixels: a reading column, and no more of a card than a reader takes in at a glance. */
const [WIDTH, LONGEST] = [680, 560];
const TOKEN = 'pat-na1-pictures';
const RECIPES = resolve(import.meta.dirname, '../docs/recipes');
const PICTURES = join(RECIPES, 'pictures');
const TEST = '.test.yaml';
const SALESFORCE_KEY = {
  ...{ name: 'Wrapup_Key__c', length: 255, unique: true, external_id: true },
  type: 'string' as const,
};
const KEY = { name: 'wrapup_key', type: 'string', fieldType: 'text', hasUniqueValue: true };

type Values = Record<string, Value>;

const { values } = parseArgs({ options: { keep: { type: 'boolean' }, calls: { type: 'string', default: '2000' } } });

async function makeDemo() {
  const [began, calls] = [Date.now(), Number(values.calls)];
  let printed = 0;
  const demo = await runWeek(calls, (done) => {
    if (done - printed < calls / 10) return;
    printed = done;
    console.log(`${done} of ${calls} calls`);
  });
  console.log(`A week of ${calls} calls took ${Math.round((Date.now() - began) / 1000)} s.`);
  return demo;
}

async function keepDemo(): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const demo = await makeDemo();
  console.log(`Dashboard: ${demo.dashboard}`);
  for (const [source, url] of Object.entries(demo.sandboxes)) console.log(`What is in the CRM of ${source}: ${url}`);
  await goOn(demo, Number(values.calls), stop.signal);
  await demo.close();
}

async function takePictures(): Promise<void> {
  if (!existsSync(CHROMIUM))
    throw new Error(`There is no browser at ${CHROMIUM}. Install Chromium, or name one in CHROMIUM_PATH.`);
  rmSync(PICTURES, { recursive: true, force: true });
  mkdirSync(PICTURES, { recursive: true });
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    for (const file of readdirSync(RECIPES).filter((name) => name.endsWith(TEST))) {
      const name = file.slice(0, -TEST.length);
      const picture = await takePicture(browser, name);
      if (!picture) continue;
      writeFileSync(join(PICTURES, `${name}.png`), picture);
      console.log(`docs/recipes/pictures/${name}.png`);
    }
    const demo = await makeDemo();
    try {
      for (const file of await takeDashboardPictures(browser, demo)) console.log(relative(resolve('.'), file));
    } finally {
      await demo.close();
    }
  } finally {
    await browser.close();
  }
}

/** @returns undefined for recipes of other kinds, and for those that write to no person */
async function takePicture(browser: Browser, name: string): Promise<Buffer | undefined> {
  const { kind = '', tests } = runFixtures(join(RECIPES, `${name}${TEST}`));
  const account = ACCOUNTS[kind];
  const shown = tests.find(({ produced }) => produced?.records.some((record) => record.name === 'person'));
  if (!account || !shown?.produced) return undefined;
  const { plan, records, result } = shown.produced;
  const sandbox = await startSandbox({ port: 0, provisioned: true, settings: QUICK });
  try {
    await account.define(sandbox, records);
    const seeded = result === 'created' ? plan : account.seed(sandbox, plan, records);
    const destination = await account.connect(sandbox);
    const [outcome] = await destination.write([seeded], makeMemoryContext());
    await destination.close();
    if (!outcome?.ok) throw new Error(`${name}: ${JSON.stringify(outcome)}`);
    for (const note of outcome.receipt.notes) console.warn(`${name}: ${describeNote(note)}`);
    return await photograph(browser, sandbox.url);
  } finally {
    await sandbox.close();
  }
}

async function photograph(browser: Browser, url: string): Promise<Buffer> {
  const page = await browser.newPage({ viewport: { width: WIDTH, height: LONGEST } });
  try {
    await page.goto(url);
    const card = page.locator('article.person').first();
    const { x = 0, y = 0, width = WIDTH, height = LONGEST } = (await card.boundingBox()) ?? {};
    return await page.screenshot({ fullPage: true, clip: { x, y, width, height: Math.min(height, LONGEST) } });
  } finally {
    await page.close();
  }
}

const QUICK = { hubspot: { search_lag: 0 }, salesforce: { search_lag: 0, duplicate_rules: 'off' as const } };

interface Account {
  /** Makes the fields that a recipe writes and that are an account's own. */
  define(sandbox: RunningSandbox, records: ProducedRecord[]): Promise<void>;
  /** Puts there what the test finds. @returns the plan with the ids of what was put there */
  seed(sandbox: RunningSandbox, plan: Plan, records: ProducedRecord[]): Plan;
  connect(sandbox: RunningSandbox): Promise<Destination>;
}

const ACCOUNTS: Record<string, Account | undefined> = {
  hubspot: {
    async define({ hubspotUrl, control }, records) {
      control.seed({ owners: [{ id: '77', email: 'kim@example.com' }] });
      for (const { object, fields } of records) {
        if (object.startsWith('2-'))
          control.seed({ custom_objects: [{ id: object, name: `object_${object.slice(2)}` }] });
        const known = await namesAt(`${hubspotUrl}/crm/v3/properties/${object}`, TOKEN, 'results');
        const own = fields.filter(({ name }) => !known.has(name));
        const properties = own.map(({ name, value }) => ({ name, label: labelOf(name), ...hubspotType(value) }));
        const keys = object.startsWith('2-') ? [KEY] : [];
        control.seed({ properties: { [object]: [...keys, ...properties] } });
      }
    },
    seed({ control }, plan, records) {
      const person = { ...addressesOf(plan, 'phone', 'email'), ...valuesBefore(records, 'person') };
      const [contact = ''] = control.seed({ records: { contacts: [{ properties: texts(person) }] } }).contacts ?? [];
      const found = plan.records.map((record) => {
        const before = valuesBefore(records, record.name);
        if (!record.find || Object.keys(before).length === 0) return record;
        const properties = texts({ dealname: 'Renewal 2027', pipeline: 'default', ...before });
        const made = control.seed({
          records: { [record.object]: [{ properties, associations: { contacts: [contact] } }] },
        });
        const [id = ''] = made[record.object] ?? [];
        return 'id' in record.find ? { ...record, find: { ...record.find, id } } : record;
      });
      return { ...plan, needs: [], records: found };
    },
    connect({ hubspotUrl }) {
      const settings = hubspotKind.settings.parse({ access_token: TOKEN, base_url: hubspotUrl });
      return hubspotKind.connect('sales', settings);
    },
  },
  salesforce: {
    async define({ salesforceUrl, salesforce, control }, records) {
      for (const { object, fields } of records) {
        if (object.endsWith('__c'))
          control.seed({ salesforce: { custom_objects: [{ name: object, fields: [SALESFORCE_KEY] }] } });
        const describe = `${salesforceUrl}/services/data/v67.0/sobjects/${object}/describe`;
        const known = await namesAt(describe, salesforce.token(), 'fields');
        const own = fields.filter(({ name }) => !known.has(name) && name.endsWith('__c'));
        const specs = own.map(({ name, value }) => ({ name, ...salesforceType(value) }));
        const people = object === 'Lead' ? ['Lead', 'Contact'] : [object];
        for (const one of people) control.seed({ salesforce: { fields: { [one]: specs } } });
      }
    },
    seed({ control }, plan, records) {
      const before = valuesBefore(records, 'person');
      const values = { LastName: 'Example', ...addressesOf(plan, 'Phone', 'Email'), ...before };
      control.seed({ salesforce: { records: { Contact: [values] } } });
      return plan;
    },
    connect({ salesforceUrl }) {
      const settings = salesforceKind.settings.parse({
        base_url: salesforceUrl,
        client_id: 'sandbox-consumer-key',
        client_secret: 'sandbox-consumer-secret',
      });
      return salesforceKind.connect('sales', settings);
    },
  },
};

async function namesAt(url: string, token: string, list: 'fields' | 'results'): Promise<Set<string>> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  const answer = (await response.json()) as Partial<Record<typeof list, { name: string }[]>>;
  return new Set((answer[list] ?? []).map(({ name }) => name));
}

/** What the fields of a record say before the call, as far as the test tells. */
function valuesBefore(records: ProducedRecord[], name: string): Values {
  const fields = records.find((record) => record.name === name)?.fields ?? [];
  return Object.fromEntries(fields.flatMap(({ name: field, from }) => (from === undefined ? [] : [[field, from]])));
}

function texts(values: Values): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

/** What the person is found by, under the CRM's names. */
function addressesOf({ person }: Plan, phone: string, email: string): Values {
  const names: Record<string, string> = { phone, email };
  return Object.fromEntries(
    (person?.match ?? []).flatMap(({ by, value }) => (names[by] === undefined ? [] : [[names[by], value]])),
  );
}

const labelOf = (name: string) => name.replace(/^wrapup_/, '').replaceAll('_', ' ');
const isMoment = (value: Value) => typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T/.test(value);
const isDay = (value: Value) => typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value);

function hubspotType(value: Value) {
  if (typeof value === 'number') return { type: 'number', fieldType: 'number' };
  if (isMoment(value)) return { type: 'datetime', fieldType: 'date' };
  if (isDay(value)) return { type: 'date', fieldType: 'date' };
  if (typeof value !== 'boolean') return { type: 'string', fieldType: 'textarea' };
  const options = ['true', 'false'].map((one) => ({ label: one === 'true' ? 'Yes' : 'No', value: one }));
  return { type: 'bool', fieldType: 'booleancheckbox', options };
}

function salesforceType(value: Value) {
  if (typeof value === 'number') return { type: 'double' as const };
  if (typeof value === 'boolean') return { type: 'boolean' as const };
  if (isMoment(value)) return { type: 'datetime' as const };
  return isDay(value) ? { type: 'date' as const } : { type: 'textarea' as const, length: 32_000 };
}

await (values.keep ? keepDemo() : takePictures());
