/**
 * A demo whose webhooks get lost, and what reconciliation makes of it: every call is in the CRM afterwards, each once.
 *
 *   npm run bench:lost-webhooks                 500 calls, 15 % of the webhooks lost
 *   npm run bench:lost-webhooks -- 2000 0.4     others
 *
 * Redis, ingress and worker run as they ship; the sandbox is Synthflow and HubSpot (a Professional account: 190 requests
 * in 10 s, 5 searches in 1 s, 40 ms each). `wrapup reconcile` is the command itself, with `--grace 0s`, which
 * saves a wait of 25 minutes. Ends with exit code 1 when a call is missing or there twice.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { makeConfig } from '../test/support/config.ts';
import { openInstallation, SECRET } from './installation.ts';

const CALLS = Number(process.argv[2] ?? 500);
const LOSE = Number(process.argv[3] ?? 0.15);
const CLI = new URL('../apps/cli/src/main.ts', import.meta.url).pathname;

const installation = await openInstallation({
  config: makeConfig({ source: ['api_key: any-key', 'base_url: "${SYNTHFLOW_BASE_URL}"'] }),
});
const { sandbox, store, ingress, env } = installation;
try {
  const webhook = `http://127.0.0.1:${ingress.port}/webhooks/main/post-call`;
  const demo = await sandbox.control.demo({ calls: CALLS, rate: 100, pace: 200, lose: LOSE, webhook, secret: SECRET });
  const { sent, lost, answers } = demo.webhooks;
  console.log(`demo: ${demo.over} calls over, ${sent} webhooks sent (${JSON.stringify(answers)}), ${lost} lost`);
  await writtenAll();
  console.log(`before reconciliation: ${summary()}`);

  await reconcile();
  await writtenAll();
  console.log(`after reconciliation:  ${summary()}`);
  await reconcile();

  const { missing, twice } = compare();
  if (missing.length + twice.length > 0) process.exitCode = 1;
} finally {
  await installation.close();
}

async function reconcile(): Promise<void> {
  const { PATH = '' } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, 'reconcile', '--grace', '0s'], {
    env: { PATH, ...env },
  });
  process.stdout.write(`$ wrapup reconcile --grace 0s\n${stdout}`);
}

/** Until nothing of what the ledger knows is on its way any more. */
async function writtenAll(): Promise<void> {
  const known: string[] = [];
  for await (const { call_id } of store.ledger.scan()) known.push(call_id);
  await installation.written(known);
}

/** The calls of the voice platform against the call logs of the CRM, by their unique key. */
function compare(): { there: number; missing: string[]; twice: string[] } {
  const wanted = sandbox.control.calls().map(({ id }) => `main:${id}`);
  const logs = sandbox.records('calls').map(({ properties }) => String(properties.wrapup_call_id));
  const there = new Set(logs);
  return {
    there: wanted.filter((key) => there.has(key)).length,
    missing: wanted.filter((key) => !there.has(key)),
    twice: logs.filter((key, index) => logs.indexOf(key) !== index),
  };
}

function summary(): string {
  const { there, missing, twice } = compare();
  const logs = sandbox.records('calls').length;
  return `${there} of ${CALLS} calls are in the CRM, in ${logs} call logs; ${missing.length} missing, ${twice.length} twice`;
}
