import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { emptyCall } from '@wrapup/call';
import { formatFinding } from '@wrapup/findings';
import { compileMapping } from '@wrapup/mapping';
import { expect, test } from 'vitest';
import { errorsOf } from '../src/config-file.ts';
import { fixMappings, KINDS, type LoadOptions, loadConfig } from '../src/index.ts';
import { configFolder, ENV, GOOD } from './support/folder.ts';

const SALESFORCE = GOOD.replace(
  'kind: hubspot, access_token: "${HUBSPOT_ACCESS_TOKEN}"',
  'kind: salesforce, login_url: https://acme.my.salesforce.com, client_id: id, client_secret: secret',
);
const CALL = emptyCall({
  ...{ id: 'call-1', source: 'main', started_at: '2026-11-20T18:00:00.000Z', ended_at: '2026-11-20T18:01:00.000Z' },
});

interface Form {
  says: string;
  kind: 'hubspot' | 'salesforce';
  before: string;
  after: string;
  /** What version a8ffce7 made of CALL with the text before, by record and property. */
  wrote: Record<string, Record<string, string>>;
}

/** Every form of version a8ffce7 that is written otherwise now. */
const FORMS: Form[] = [
  {
    says: 'constants of a task, with comments and quotes',
    kind: 'hubspot',
    before: `# ours
tasks:
  - name: ring # permanent
    subject: Ring back
    priority: HIGH # always
    status: "NOT_STARTED"
    type: { from: CALL, write: overwrite }
`,
    after: `# ours
tasks:
  - name: ring # permanent
    subject: Ring back
    priority: { value: HIGH } # always
    status: { value: "NOT_STARTED" }
    type: { value: CALL, write: overwrite }
`,
    wrote: {
      ring: {
        hs_task_subject: 'Ring back',
        hs_task_priority: 'HIGH',
        hs_task_status: 'NOT_STARTED',
        hs_task_type: 'CALL',
      },
    },
  },
  {
    says: 'stage and pipeline, within braces',
    kind: 'hubspot',
    before: 'deals: [ { name: deal, title: New deal, stage: qualifiedtobuy, pipeline: default } ]\n',
    after:
      'deals: [ { name: deal, title: New deal, stage: { value: qualifiedtobuy }, pipeline: { value: default } } ]\n',
    wrote: { deal: { dealname: 'New deal', dealstage: 'qualifiedtobuy', pipeline: 'default' } },
  },
  {
    says: 'stages that are numbers, with Windows line endings',
    kind: 'hubspot',
    before: `tickets:\r\n  - { name: t, subject: S, stage: '1', pipeline: "0" } # both\r\n`,
    after: `tickets:\r\n  - { name: t, subject: S, stage: { value: '1' }, pipeline: { value: "0" } } # both\r\n`,
    wrote: { t: { subject: 'S', hs_pipeline_stage: '1', hs_pipeline: '0' } },
  },
  {
    says: 'the outcome of a meeting',
    kind: 'hubspot',
    before: 'meetings:\n  - { name: m, title: M, starts_at: call.started_at, outcome: SCHEDULED }\n',
    after: 'meetings:\n  - { name: m, title: M, starts_at: call.started_at, outcome: { value: SCHEDULED } }\n',
    wrote: {
      m: { hs_meeting_title: 'M', hs_meeting_start_time: '2026-11-20T18:00:00.000Z', hs_meeting_outcome: 'SCHEDULED' },
    },
  },
  {
    says: 'the transcript of the CRM, which is gone',
    kind: 'hubspot',
    before: 'call_log:\n  # ours\n  title: Call\n  transcript: estimated\n',
    after: 'call_log:\n  # ours\n  title: Call\n',
    wrote: { call_log: { hs_call_title: 'Call' } },
  },
  {
    says: 'objects under the name that they had',
    kind: 'hubspot',
    before: 'custom_objects: # ours\n  - { name: visit, object: 2-77, fields: { at: call.started_at } }\n',
    after: 'objects: # ours\n  - { name: visit, object: 2-77, fields: { at: call.started_at } }\n',
    wrote: { visit: { at: '2026-11-20T18:00:00.000Z' } },
  },
  {
    says: 'anchors, and the constants of Salesforce',
    kind: 'salesforce',
    before: `call_log: { outcome: Connected }
cases:
  - { name: c, subject: S, status: New, priority: &high High, origin: Phone }
tasks:
  - { name: t, subject: T, priority: *high, status: Not Started }
opportunities:
  - { name: o, title: O, stage: Prospecting }
`,
    after: `call_log: { outcome: { value: Connected } }
cases:
  - { name: c, subject: S, status: { value: New }, priority: &high { value: High }, origin: { value: Phone } }
tasks:
  - { name: t, subject: T, priority: *high, status: { value: Not Started } }
opportunities:
  - { name: o, title: O, stage: { value: Prospecting } }
`,
    wrote: {
      call_log: { CallDisposition: 'Connected' },
      c: { Subject: 'S', Status: 'New', Priority: 'High', Origin: 'Phone' },
      t: { Subject: 'T', Priority: 'High', Status: 'Not Started' },
      o: { Name: 'O', StageName: 'Prospecting' },
    },
  },
];

function written(kind: string, text: string): Record<string, Record<string, unknown>> {
  const dialect = KINDS[kind]?.dialect as Parameters<typeof compileMapping>[0]['dialect'];
  const { mapping, findings } = compileMapping({ name: 'm.yaml', text, dialect, readFile: () => undefined });
  expect(findings.map(formatFinding)).toEqual([]);
  const { records = [] } = mapping?.plan(CALL, 'route') ?? {};
  return Object.fromEntries(
    records.map(({ name, fields }) => [name, Object.fromEntries(fields.map((field) => [field.name, field.value]))]),
  );
}

function folderWith(mapping: string, config = GOOD, more: Record<string, string> = {}): LoadOptions & { file: string } {
  return { file: configFolder({ 'wrapup.yaml': config, 'mappings/hubspot.yaml': mapping, ...more }), env: ENV };
}

test.each(FORMS)('$says: fixed, nothing is found, and the plan is that of before', async (form) => {
  const options = folderWith(form.before, form.kind === 'hubspot' ? GOOD : SALESFORCE);
  const { files, loaded } = await fixMappings(options);
  expect(files.map(({ after }) => after)).toEqual([form.after]);
  expect(loaded.findings.map(formatFinding)).toEqual([]);
  expect(written(form.kind, form.after)).toEqual(form.wrote);
  // Nothing is written, and nothing is left to do once it is.
  const path = join(dirname(options.file), 'mappings/hubspot.yaml');
  expect(readFileSync(path, 'utf8')).toBe(form.before);
  writeFileSync(path, form.after);
  expect((await fixMappings(options)).files).toEqual([]);
});

test('a line that takes away what its preset has no more goes, and one that changes it is for a person', async () => {
  const nothing =
    'extends: hubspot/lead-qualification\nperson:\n  fields:\n    # no mark\n    wrapup_opted_out: null\n    jobtitle: vars.job\n';
  const { files, loaded } = await fixMappings(folderWith(nothing));
  expect(files.map(({ after }) => after)).toEqual([nothing.replace('    wrapup_opted_out: null\n', '')]);
  expect(loaded.findings).toEqual([]);
  const part = 'extends: hubspot/lead-qualification\nperson: { fields: { wrapup_opted_out: { write: overwrite } } }\n';
  const changed = await fixMappings(folderWith(part));
  expect(changed.files).toEqual([]);
  expect(changed.loaded.findings).toMatchObject([
    { severity: 'error', code: 'retired-line', hint: expect.stringContaining('{ from: analysis.no_opt_out, map:') },
  ]);
});

test('what hides behind a mistake of shape is fixed in the same go', async () => {
  const before = 'call_log: { title: Call, transcript: exact }\ntasks: [ { name: t, subject: T, priority: LOW } ]\n';
  const { files } = await fixMappings(folderWith(before));
  expect(files[0]).toMatchObject({
    after: 'call_log: { title: Call }\ntasks: [ { name: t, subject: T, priority: { value: LOW } } ]\n',
    fixes: [{ code: 'retired-key' }, { code: 'bare-constant' }],
  });
});

test('a base that several extend, and mappings of clients, are fixed once; what others have is left alone', async () => {
  const base = 'tasks: [ { name: t, subject: T, priority: LOW } ]\n';
  const client = GOOD.replace('${SYNTHFLOW_WEBHOOK_SECRET}', '${ACME_SECRET}')
    .replace('${HUBSPOT_ACCESS_TOKEN}', '${ACME_TOKEN}')
    .replace('mappings/hubspot.yaml', 'clients/acme/own.yaml');
  const own = 'extends: mappings/base.yaml\ntasks: [ { name: t, status: WAITING } ]\n';
  const options = folderWith('extends: mappings/base.yaml\n', GOOD, {
    'mappings/base.yaml': base,
    'mappings/unused.yaml': base,
    'clients/acme.yaml': client,
    'clients/acme/own.yaml': own,
  });
  const env = { ...ENV, ACME_SECRET: 'a3f1c0de9a77401bb3f1c0de9a77401c', ACME_TOKEN: 'pat-na1-acme' };
  const all = await fixMappings({ ...options, env });
  const names = (files: { file: string }[]) => files.map(({ file }) => file.slice(dirname(options.file).length + 1));
  expect(names(all.files)).toEqual(['mappings/base.yaml', 'clients/acme/own.yaml']);
  expect(all.files[1]?.after).toBe(own.replace('WAITING', '{ value: WAITING }'));
  expect(names((await fixMappings({ ...options, env }, 'acme')).files).sort()).toEqual([
    'clients/acme/own.yaml',
    'mappings/base.yaml',
  ]);
});

test('a file that a link leads to outside of the folder is left alone', async () => {
  const outside = configFolder({ 'base.yaml': 'tasks: [ { name: t, subject: T, priority: LOW } ]\n' });
  const options = folderWith('extends: mappings/base.yaml\n');
  mkdirSync(join(dirname(options.file), 'mappings'), { recursive: true });
  symlinkSync(join(dirname(outside), 'base.yaml'), join(dirname(options.file), 'mappings/base.yaml'));
  const { files, loaded } = await fixMappings(options);
  expect(files).toEqual([]);
  expect(loaded.findings).toMatchObject([{ code: 'bare-constant' }]);
});

test('a fix that would break the file is not made', async () => {
  // The alias is right as a constant of a case, and would be none as a section.
  const before = `define: { x: { cases: [ { when: { path: call.outcome, equals: busy }, is: &p HIGH } ] } }
tasks: [ { name: t, subject: T, priority: *p } ]
`;
  const { files, loaded } = await fixMappings(folderWith(before));
  expect(files).toEqual([]);
  expect(loaded.findings).toMatchObject([{ code: 'bare-constant', severity: 'warning' }]);
  // Nor does it keep other lines of the file as they were.
  const task = (priority: string) =>
    before.replace('priority: *p', `status: WAITING, type: CALL, priority: ${priority}`);
  const more = await fixMappings(folderWith(task('*p')));
  const after = task('*p').replace('WAITING', '{ value: WAITING }').replace('CALL', '{ value: CALL }');
  expect(more.files).toMatchObject([{ after, fixes: [{ code: 'bare-constant' }, { code: 'bare-constant' }] }]);
  expect(more.loaded.findings).toMatchObject([{ code: 'bare-constant', severity: 'warning' }]);
});

test('a fix that would cause an error is not made where another file has the same one already', async () => {
  const broken = 'define: { x: { cases: [ { when: { path: call.outcome, equals: busy }, is: { value: HIGH } } ] } }\n';
  const before = `define: { x: { cases: [ { when: { path: call.outcome, equals: busy }, is: &p HIGH } ] } }
tasks: [ { name: t, subject: T, priority: *p } ]
`;
  const options = folderWith(before, GOOD, {
    'clients/acme.yaml': GOOD.replace('${SYNTHFLOW_WEBHOOK_SECRET}', '${ACME_SECRET}')
      .replace('${HUBSPOT_ACCESS_TOKEN}', '${ACME_TOKEN}')
      .replace('mappings/hubspot.yaml', 'clients/acme/own.yaml'),
    'clients/acme/own.yaml': broken,
  });
  const env = { ...ENV, ACME_SECRET: 'a3f1c0de9a77401bb3f1c0de9a77401c', ACME_TOKEN: 'pat-na1-acme' };
  const { files, loaded } = await fixMappings({ ...options, env });
  expect(files).toEqual([]);
  expect(errorsOf(loaded.findings).every(({ at }) => at?.file.endsWith('own.yaml'))).toBe(true);
});

test('a line that cannot be rewritten in place is not counted as fixed', async () => {
  const before =
    'tasks:\n  - name: t\n    subject: T\n    priority: >-\n      LOW\n    type: !!str CALL\n    status: WAITING\n';
  const { files, loaded } = await fixMappings(folderWith(before));
  expect(files).toMatchObject([
    { after: before.replace('WAITING', '{ value: WAITING }'), fixes: [{ at: { line: 7 } }] },
  ]);
  expect(loaded.findings.map(({ code, at }) => [code, at?.line])).toEqual([
    ['bare-constant', 4],
    ['bare-constant', 6],
  ]);
});

test('the configuration is loaded once as it is and once with all that is fixed', async () => {
  const base = 'tasks: [ { name: t, subject: T, priority: LOW } ]\n';
  const options = folderWith('extends: mappings/base.yaml\ntasks: [ { name: t, status: WAITING } ]\n', GOOD, {
    'mappings/base.yaml': base,
  });
  let asked = 0;
  const kinds = {
    ...KINDS,
    get hubspot() {
      asked += 1;
      return KINDS.hubspot as NonNullable<typeof KINDS.hubspot>;
    },
  };
  await loadConfig({ ...options, kinds });
  const once = asked;
  asked = 0;
  const { files, loaded } = await fixMappings({ ...options, kinds });
  expect([files.length, loaded.findings]).toEqual([2, []]);
  expect(asked).toBe(2 * once);
});
