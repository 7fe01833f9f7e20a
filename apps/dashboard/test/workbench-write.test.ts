/** The one thing that the workbench changes: the file of a mapping. */
import { existsSync, lstatSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { hashPassword, type Users } from '@wrapup/config';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ConfigFolder, MAPPING_FILE, makeConfigFolder } from './support/config-folder.ts';
import { basic, type Harness, startDashboard } from './support/harness.ts';

const PASSWORD = 'correct horse battery staple';
const BEFORE = 'extends: hubspot/call-log\n';
const AFTER = 'extends: hubspot/call-log\nperson: { fields: { jobtitle: vars.topic } }\n';
/** Further routes and mappings, of the installation and of a client. */
const CLIENT = {
  sources: { main: { webhook_secrets: ['7be04d92c1f8436a7be04d92c1f8436a'] } },
  connections: {
    sales: { kind: 'hubspot', access_token: 'pat-na1-test', base_url: 'http://127.0.0.1:9' },
    other: { kind: 'hubspot', access_token: 'pat-na1-other', base_url: 'http://127.0.0.1:9' },
  },
  routes: [
    { name: 'calls', to: 'sales', mapping: 'clients/acme/own.yaml' },
    { name: 'shared', to: 'other', mapping: MAPPING_FILE },
  ],
};

let files: ConfigFolder;
let dashboard: Harness;
let users: Users;

beforeAll(async () => {
  const password = await hashPassword(PASSWORD);
  const acme = { client: 'acme', password };
  users = {
    ...{ eve: { role: 'viewer', password }, kim: { role: 'operator', password }, ada: { role: 'admin', password } },
    ...{ bo: { role: 'admin', ...acme } },
  };
});
beforeEach(async () => {
  files = await makeConfigFolder(undefined, {
    'clients/acme.yaml': JSON.stringify(CLIENT),
    'clients/acme/own.yaml': BEFORE,
  });
  dashboard = await open();
});
afterEach(async () => {
  await dashboard.close();
  files.remove();
});

const open = (writesMappings = true) =>
  startDashboard({ config: files.config, latest: files.latest, users: () => users, writesMappings });

const as = (user: string) => ({ ...basic(user, PASSWORD), origin: dashboard.url });

/** What the page of a route has, with another mapping. */
async function write(user: string, change: Record<string, string> = {}, route = 'sales-calls') {
  const page = await (await dashboard.get(`/playground?route=${route}`, as('ada'))).text();
  const [, digest = ''] = /name="digest" value="(\w+)"/.exec(page) ?? [];
  const fields = { route, payload: 'given: connected', mapping: AFTER, digest, ...change };
  const answer = await dashboard.post('/playground/write', fields, as(user));
  return { status: answer.status, text: await answer.text() };
}

describe('a mapping is written', () => {
  it('by an admin: whole, with a backup beside it, in force at once, and in the audit with its hashes', async () => {
    const before = files.config().routes[0]?.mapping.hash;
    const { status, text } = await write('ada');
    expect([status, /Written to [^<]*/.exec(text)?.[0]]).toEqual([
      200,
      'Written to mappings/hubspot.yaml; as it was: mappings/hubspot.yaml.bak. This process has taken it over; workers do so within seconds.',
    ]);
    expect([files.read(MAPPING_FILE), files.read(`${MAPPING_FILE}.bak`)]).toEqual([AFTER, BEFORE]);
    expect(text).toContain('no difference in the plan');
    const after = files.config().routes[0]?.mapping.hash;
    expect(after).not.toBe(before);
    const { entries } = await dashboard.store.audit.page({ action: 'change mapping' });
    expect(entries).toMatchObject([{ by: 'ada', target: MAPPING_FILE, hash: { before, after } }]);
    expect((await write('ada', { mapping: BEFORE })).status).toBe(200);
    expect(files.read(`${MAPPING_FILE}.bak-2`)).toBe(AFTER);
    expect(readdirSync(join(files.path, 'mappings')).sort()).toEqual([
      'hubspot.yaml',
      'hubspot.yaml.bak',
      'hubspot.yaml.bak-2',
    ]);
  });

  it('by an admin of a client: what is the client’s alone', async () => {
    const own = await write('bo', {}, 'acme.calls');
    expect([own.status, /<p class="notice[^<]*/.exec(own.text)?.[0]]).toEqual([
      200,
      expect.stringContaining('Written to'),
    ]);
    expect(files.read('clients/acme/own.yaml')).toBe(AFTER);
    const { entries } = await dashboard.store.audit.page({ action: 'change mapping' });
    expect(entries).toMatchObject([{ by: 'bo', client: 'acme', target: 'clients/acme/own.yaml' }]);
    const shared = await write('bo', {}, 'acme.shared');
    expect([shared.status, shared.text]).toEqual([403, expect.stringContaining('Other clients share this mapping')]);
    expect((await write('bo')).status).toBe(422);
    expect(files.read(MAPPING_FILE)).toBe(BEFORE);
    const page = await (await dashboard.get('/playground?route=acme.shared', as('bo'))).text();
    expect(page).not.toContain('formaction');
  });
});

describe('nothing is written', () => {
  const unchanged = async () => {
    expect(files.read(MAPPING_FILE)).toBe(BEFORE);
    expect(existsSync(join(files.path, `${MAPPING_FILE}.bak`))).toBe(false);
    expect((await dashboard.store.audit.page({ action: 'change mapping' })).entries).toEqual([]);
  };

  it.each(['eve', 'kim'])('by %s, who is no admin, and has no button for it', async (user) => {
    expect((await write(user)).status).toBe(403);
    expect(await (await dashboard.get('/playground', as(user))).text()).not.toContain('formaction');
    await unchanged();
  });

  it('where the installation does not say that it may', async () => {
    await dashboard.close();
    dashboard = await open(false);
    const { status, text } = await write('ada');
    expect([status, text]).toEqual([404, expect.stringContaining('DASHBOARD_WRITES_MAPPINGS')]);
    expect(await (await dashboard.get('/playground', as('ada'))).text()).not.toContain('formaction');
    await unchanged();
  });

  it('over a change that came meanwhile, which stays', async () => {
    const page = await (await dashboard.get('/playground', as('ada'))).text();
    const [, digest = ''] = /name="digest" value="(\w+)"/.exec(page) ?? [];
    files.write(MAPPING_FILE, `${BEFORE}# by a colleague\n`);
    const { status, text } = await write('ada', { digest });
    expect([status, text]).toEqual([409, expect.stringContaining('has changed since it was opened here')]);
    // What was typed is still there.
    expect(text).toContain('jobtitle: vars.topic');
    expect(files.read(MAPPING_FILE)).toBe(`${BEFORE}# by a colleague\n`);
    expect((await write('ada', { digest: '' })).status).toBe(409);
  });

  it('with errors, of its own or of another file that extends it', async () => {
    const own = await write('ada', { mapping: 'extends: hubspot/call-log\nperson: { fields: { a: lead.nmae } }\n' });
    expect([own.status, own.text]).toEqual([
      422,
      expect.stringContaining('The mapping has errors, and was not written'),
    ]);
    await unchanged();
    files.write('clients/acme/own.yaml', `extends: ${MAPPING_FILE}\ncall_log: { fields: { a: my.topic } }\n`);
    files.write(MAPPING_FILE, `${BEFORE}define: { topic: vars.topic }\n`);
    await files.latest();
    const other = await write('ada', { mapping: BEFORE });
    expect([other.status, other.text]).toEqual([422, expect.stringContaining('would have errors with it')]);
    expect(files.read(MAPPING_FILE)).toContain('define');
  });

  it('through a link, nor outside of the folder, whatever a request names', async () => {
    const elsewhere = join(files.path, '../elsewhere.yaml');
    renameSync(join(files.path, MAPPING_FILE), elsewhere);
    symlinkSync(elsewhere, join(files.path, MAPPING_FILE));
    const { status, text } = await write('ada');
    expect([status, text]).toEqual([409, expect.stringContaining('The file is a link')]);
    expect(lstatSync(join(files.path, MAPPING_FILE)).isSymbolicLink()).toBe(true);
    await unchanged();
    for (const route of ['../elsewhere', 'nowhere', '__proto__'])
      expect([route, (await write('ada', {}, route)).status]).toEqual([route, 422]);
    await unchanged();
  });
});
