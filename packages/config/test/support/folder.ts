import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A config folder of its own for one test, gone with it. Returns the path of its wrapup.yaml. */
export function configFolder(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return join(folder, 'wrapup.yaml');
}

/** The place in a text that is marked with `»`, and the text without the mark. */
export function unmark(marked: string): { text: string; line: number; column: number } {
  const at = marked.indexOf('»');
  if (at < 0) throw new Error('no » in the text');
  const before = marked.slice(0, at).split('\n');
  return { text: marked.replace('»', ''), line: before.length, column: (before.at(-1) as string).length + 1 };
}

export const MAPPING = `extends: hubspot/call-log\n`;

export const ENV = {
  SYNTHFLOW_WEBHOOK_SECRET: 'b3f1c0de9a77401bb3f1c0de9a77401b',
  HUBSPOT_ACCESS_TOKEN: 'pat-na1-00000000-0000-0000-0000-000000000000',
};

export const GOOD = `sources:
  main:
    webhook_secrets: ["\${SYNTHFLOW_WEBHOOK_SECRET}"]
connections:
  sales: { kind: hubspot, access_token: "\${HUBSPOT_ACCESS_TOKEN}" }
routes:
  - { name: sales-calls, to: sales, mapping: mappings/hubspot.yaml }
`;
