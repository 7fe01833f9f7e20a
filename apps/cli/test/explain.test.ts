import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CONFIG, configFolder } from './support/installation.ts';
import { wrapup } from './support/run.ts';

const HASH = /\(http, [0-9a-f]{12}\)/;

test('a shipped example is shown with its preset, defaults, and the place of every line', async () => {
  const { code, stdout, stderr } = await wrapup(['explain', 'examples/http-receiver/mappings/events.yaml']);
  expect(stderr).toBe('');
  expect(stdout.replace(HASH, '(http, …)')).toBe(
    `# mappings/events.yaml (http, …), with all that it extends and all defaults.
# Remarks: how a field is written, where nothing says so in brackets; then where the line stands.
time_zone: UTC                                                # default
events:                                                       # http/event:5
  - name: event                                               # http/event:6
    type: call.{{ call.outcome }}                             # (overwrite) http/event:9
    send: all                                                 # (overwrite) http/event:12
`,
  );
  expect(code).toBe(0);
});

test('the example of HubSpot names its own lines and those of the preset, in a hundred columns', async () => {
  const { stdout } = await wrapup(['explain', 'config/mappings/hubspot.yaml']);
  expect(stdout).toMatch(/^ {4}phone: .* # if_empty hubspot\/call-log:\d+$/m);
  expect(stdout).toMatch(/^ {6}default: OPEN +# mappings\/hubspot\.yaml:\d+$/m);
  expect(stdout).toMatch(/^define: .*\n {2}result: .*# hubspot\/call-log:\d+$/m);
  expect(stdout).toMatch(/^ {2}associate: \[ person \] +# default$/m);
  expect(stdout.split('\n').filter((line) => line.length > 100)).toEqual([]);
});

test('machines get each line with its path, place and write mode', async () => {
  const folder = configFolder(CONFIG, 'extends: hubspot/call-log\nperson: { fields: { jobtitle: vars.job } }\n');
  const config = join(folder, 'wrapup.yaml');
  const { code, json } = await wrapup(['explain', 'sales-calls', '--json', '--config', config]);
  expect(code).toBe(0);
  const { kind, lines, yaml } = json() as { kind: string; yaml: string; lines: { path: string }[] };
  expect(kind).toBe('hubspot');
  expect(yaml).toContain('    jobtitle: vars.job\n');
  const of = (path: string) => lines.find((line) => line.path === path);
  expect(of('person.fields.jobtitle')).toMatchObject({
    from: { file: 'mappings/hubspot.yaml', line: 2 },
    record: 'person',
    property: 'jobtitle',
    write: 'if_newer',
    says_write: false,
  });
  expect(of('person.create_as')).toMatchObject({ from: 'default' });
  expect(of('call_log.title')).toMatchObject({ property: 'hs_call_title', write: 'if_ours' });
});

test('a mapping with errors is not explained, and what is not there is said', async () => {
  const folder = configFolder(CONFIG, 'extends: hubspot/call-log\nperson: { fields: { x: laed.name } }\n');
  const broken = await wrapup(['explain', join(folder, 'mappings/hubspot.yaml')]);
  expect(broken).toMatchObject({ code: 1, stdout: '' });
  expect(broken.stderr).toMatch(/hubspot\.yaml:2:24: error: unknown path "laed\.name"/);
  expect(await wrapup(['explain', 'hubspot/call-lag'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no preset "hubspot/call-lag"'),
  });
  const config = ['--config', join(folder, 'wrapup.yaml')];
  expect(await wrapup(['explain', 'mappings/nothing.yaml', ...config])).toMatchObject({ code: 2 });
  expect(await wrapup(['explain', 'sales', ...config])).toMatchObject({ code: 2 });
});

test('a mapping that is no YAML, or tells no kind, is answered with what to do on a command line', async () => {
  const folder = configFolder(CONFIG, 'extends: hubspot/call-log\ntasks:\n\t- name: ring\n');
  const path = join(folder, 'mappings/hubspot.yaml');
  expect(await wrapup(['explain', path])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/hubspot\.yaml:3:1: error: Tabs .*\n {4}indent with spaces/),
  });
  writeFileSync(path, 'call_log: {}\n');
  const kindless = await wrapup(['explain', path]);
  expect(kindless).toMatchObject({ code: 2, stderr: expect.stringContaining('name it with --kind: hubspot,') });
  expect(await wrapup(['explain', path, '--kind', 'hubspto'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('did you mean "hubspot"?'),
  });
  const missing = await wrapup(['explain', join(folder, 'nothing.yaml')]);
  expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('from the folder that you are in') });
});

test('mistakes are listed in the order of the lines', async () => {
  const folder = configFolder(
    CONFIG,
    'extends: hubspot/call-log\nperson:\n  fields:\n    a: lead.nme\n    b: { from: lead.name, write: sometimes }\n    c: lead.nmae\n',
  );
  const { stderr } = await wrapup(['explain', join(folder, 'mappings/hubspot.yaml')]);
  expect([...stderr.matchAll(/yaml:(\d+):/g)].map(([, line]) => line)).toEqual(['4', '5', '6']);
});
