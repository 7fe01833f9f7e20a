/** A configuration in files, which can be edited while a dashboard goes by it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Config, loadConfig } from '@wrapup/config';

export interface ConfigFolder {
  path: string;
  config(): Config;
  /** After a look at the files, as an action has it. */
  latest(): Promise<{ config: Config; broken: boolean }>;
  read(name: string): string;
  write(name: string, text: string): void;
  remove(): void;
}

export const MAPPING_FILE = 'mappings/hubspot.yaml';

const SOURCE = { webhook_secrets: ['a3f1c09e5d7b48a6a3f1c09e5d7b48a6'], default_country: 'US' };

/** One source, one connection and one route, with a mapping. @param baseUrl of HubSpot @param files further ones, or others in their place */
export async function makeConfigFolder(
  baseUrl = 'http://127.0.0.1:9',
  files: Record<string, string> = {},
): Promise<ConfigFolder> {
  const path = mkdtempSync(join(tmpdir(), 'wrapup-workbench-'));
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  };
  const whole = {
    sources: { main: SOURCE },
    connections: { sales: { kind: 'hubspot', access_token: 'pat-na1-test', base_url: baseUrl } },
    routes: [{ name: 'sales-calls', to: 'sales', mapping: MAPPING_FILE }],
  };
  const given = { 'wrapup.yaml': JSON.stringify(whole), [MAPPING_FILE]: 'extends: hubspot/call-log\n', ...files };
  for (const [name, text] of Object.entries(given)) write(name, text);
  const load = () => loadConfig({ file: join(path, 'wrapup.yaml'), env: {}, reader: 'dashboard' });
  const first = await load();
  if (!first.config) throw new Error(JSON.stringify(first.findings));
  let config = first.config;
  return {
    path,
    config: () => config,
    async latest() {
      const loaded = await load();
      config = loaded.config ?? config;
      return { config, broken: !loaded.config };
    },
    read: (name) => readFileSync(join(path, name), 'utf8'),
    write,
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
