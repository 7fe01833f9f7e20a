/** What .env.example offers reaches the service that reads it, and what a service reads is offered. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const read = (name: string) => readFileSync(resolve(import.meta.dirname, '..', name), 'utf8');
const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  services: Record<string, { environment?: Record<string, string | null>; env_file?: unknown }>;
};
const text = read('docker-compose.yml');
const offered = new Set([...read('.env.example').matchAll(/^(?:# )?([A-Z][A-Z0-9_]+)=/gm)].map((match) => match[1]));
/** By service: what is handed on from .env as it is. */
const handedOn = Object.fromEntries(
  Object.entries(compose.services).map(([name, { environment = {} }]) => [
    name,
    Object.keys(environment).filter((variable) => environment[variable] === null),
  ]),
);

/** Of `npm start`, or of compose itself. */
const NOT_FOR_SERVICES = new Set(['COMPOSE_PROFILES', 'WRAPUP_STATE']);

test('each variable of .env.example is used by docker-compose.yml', () => {
  const used = (name: string) =>
    text.includes(`\${${name}:-`) ||
    Object.values(compose.services).some(({ environment }) => environment && name in environment);
  expect([...offered].filter((name) => name && !NOT_FOR_SERVICES.has(name) && !used(name))).toEqual([]);
});

test('each variable that a service is handed on is in .env.example', () => {
  const names = new Set(Object.values(handedOn).flat());
  expect([...names].filter((name) => !offered.has(name))).toEqual([]);
});

test('no service is given the whole of .env, and none but those that need them secrets of accounts', () => {
  for (const [name, { env_file }] of Object.entries(compose.services)) expect(env_file, name).toBeUndefined();
  const holders = (variable: string) =>
    Object.keys(handedOn).filter((name) => name !== 'init' && handedOn[name]?.includes(variable));
  for (const token of ['HUBSPOT_ACCESS_TOKEN', 'SALESFORCE_CLIENT_SECRET', 'SYNTHFLOW_API_KEY'])
    expect(holders(token), token).toEqual(['worker', 'dashboard', 'cli']);
  for (const door of ['SYNTHFLOW_WEBHOOK_SECRET', 'WEBHOOK_PATH_TOKEN'])
    expect(holders(door), door).toEqual(['ingress', 'cli']);
  expect(holders('DASHBOARD_PASSWORD')).toEqual(['dashboard']);
  expect(handedOn.sandbox).toEqual(['LOG_LEVEL']);
  expect(handedOn.redis).toEqual([]);
});

test('a bare checkout holds no secret', () => {
  const lines = read('.env.example').split('\n');
  const secrets = lines.filter((line) =>
    /^(?:SYNTHFLOW_WEBHOOK_SECRET|WEBHOOK_PATH_TOKEN|DASHBOARD_PASSWORD|WRAPUP_\w+_KEY)=/.test(line),
  );
  expect(secrets.map((line) => line.split('=')[1])).toEqual(['', '', '', '', '']);
});
