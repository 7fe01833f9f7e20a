/** `npm run sbom` writes valid CycloneDX that lists what an installation runs, all of it and nothing else. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const SCHEMAS = join(import.meta.dirname, 'support/cyclonedx');
const readJson = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

interface Bom {
  metadata: { component: { name: string } };
  components: { 'bom-ref': string; name: string; version: string; purl: string }[];
  dependencies: { ref: string; dependsOn: string[] }[];
}
interface Locked {
  name?: string;
  version?: string;
  dev?: boolean;
  optional?: boolean;
  link?: boolean;
}

let folder: string;
let bom: Bom;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sbom-'));
  const file = join(folder, 'bom.json');
  // npm is beside the Node that the machine has, which the pinned one on the PATH does not hide.
  await promisify(execFile)(process.execPath, ['scripts/sbom.mjs', file], { cwd: ROOT });
  bom = readJson(file);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Packages of the lock file, as `<name>@<version>`. */
function locked(pick: (entry: Locked) => boolean): string[] {
  const { packages } = readJson(join(ROOT, 'package-lock.json')) as { packages: Record<string, Locked> };
  return Object.entries(packages)
    .filter(([path, entry]) => path.includes('node_modules/') && !entry.link && pick(entry))
    .map(([path, { name, version }]) => `${name ?? path.split('node_modules/').pop()}@${version}`);
}

it('passes the schema of CycloneDX 1.5', () => {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  for (const name of ['spdx.SNAPSHOT.schema.json', 'jsf-0.82.SNAPSHOT.schema.json']) {
    ajv.addSchema(readJson(join(SCHEMAS, name)), `http://cyclonedx.org/schema/${name}`);
  }
  const validate = ajv.compile(readJson(join(SCHEMAS, 'bom-1.5.SNAPSHOT.schema.json')));
  validate(bom);
  expect(validate.errors).toBeNull();
  // The schema is one that refuses something.
  expect(validate({ ...bom, components: [{ type: 'application' }] })).toBe(false);
});

it.each(['express', 'bullmq', 'ioredis', 'pino', 'jose'])('lists %s with the version that is locked', (name) => {
  const [version] = locked(() => true).filter((reference) => reference.startsWith(`${name}@`));
  expect(bom.components.find((component) => component.name === name)).toMatchObject({
    purl: `pkg:npm/${version}`,
    version: version?.slice(name.length + 1),
  });
});

it('lists all that runs, and nothing that only development needs', () => {
  const listed = new Set(bom.components.map((component) => component['bom-ref']));
  // Optional packages are those of other platforms too.
  expect(locked(({ dev, optional }) => !dev && !optional).filter((one) => !listed.has(one))).toEqual([]);
  const runs = new Set(locked(({ dev }) => !dev));
  expect(locked(({ dev }) => dev === true).filter((one) => listed.has(one) && !runs.has(one))).toEqual([]);
});

it('names workspaces by their packages, refers to nothing that it does not list, and to no place of this machine', () => {
  expect(bom.metadata.component.name).toBe('wrapup-monorepo');
  expect(bom.components.map(({ name }) => name)).toContain('@wrapup/queue');
  const known = new Set(['wrapup-monorepo@0.1.0', ...bom.components.map((component) => component['bom-ref'])]);
  for (const { ref, dependsOn } of bom.dependencies) {
    expect([ref, ...dependsOn].filter((one) => !known.has(one))).toEqual([]);
  }
  expect(JSON.stringify(bom)).not.toContain(ROOT);
});
