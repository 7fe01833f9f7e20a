import { makeMemoryContext } from '@wrapup/destination';
import { compileSample } from '@wrapup/destination/sample-mapping';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { acmeDialect } from '../src/dialect.ts';
import { acmeKind } from '../src/index.ts';
import { FakeAcme } from './fake-acme.ts';

const MAPPING = `
person: { match: [phone, email], fields: { first_name: lead.first_name, nickname: vars.nickname } }
call_log: { title: "{{ call.outcome }}" }
`;

let fake: FakeAcme;
beforeEach(async () => {
  fake = await FakeAcme.start();
});
afterEach(() => fake.close());

function connect() {
  return acmeKind.connect('sales', acmeKind.settings.parse({ token: fake.token, base_url: fake.url }));
}

test('a field that the account does not have is an error with its place', async () => {
  const destination = await connect();
  const findings = await destination.check([compileSample(acmeDialect, MAPPING)], makeMemoryContext());
  expect(findings).toMatchObject([{ severity: 'error', code: 'missing-property', at: { line: 2 } }]);
});

test('a missing key is created once, and the probe says that it is in force', async () => {
  fake.fields.call_logs?.delete('wrapup_key');
  const destination = await connect();
  const request = { mappings: [], plan: false };
  const states = async () =>
    (await destination.provision(request, makeMemoryContext())).map(({ what, state }) => `${what} ${state}`);
  expect(await states()).toContain('call_logs.wrapup_key created');
  expect(await states()).toContain('call_logs.wrapup_key present');
  const probe = await destination.probe(makeMemoryContext());
  expect(probe.notes).toEqual(['call_logs: unique key wrapup_key in force.']);
});
