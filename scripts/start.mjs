/**
 * `npm start`: everything on this machine, without an account anywhere. Installs what is missing, starts Redis unless
 * REDIS_URL is set, then the sandbox, ingress, worker and dashboard, and says where to look.
 *
 * Ctrl-C or SIGTERM   all end in order, exit 0
 * one of them ends    the others are ended in order, exit 1
 * kill -9             they notice and end by themselves; the next start finds Redis' data as it was
 */
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, relative } from 'node:path';
import {
  findSandbox,
  forgetStarted,
  noteStarted,
  readEnvironment,
  readStarted,
  STATE,
  sandboxUrl,
} from './environment.mjs';
import { startKeptRedis } from './kept-redis.mjs';
import { freePort } from './local-redis.mjs';
import { startService } from './service.mjs';
import { fail, goOnPinned, onNpmGone, ROOT } from './set-up.mjs';

/** In the order of their start. */
const SERVICES = [
  { name: 'sandbox', variable: 'SANDBOX_PORT', port: 8090, ready: '/healthz' },
  { name: 'ingress', variable: 'INGRESS_PORT', port: 8080, ready: '/readyz' },
  { name: 'worker', variable: 'WORKER_PORT', port: 8082, ready: '/readyz' },
  { name: 'dashboard', variable: 'DASHBOARD_PORT', port: 8081, ready: '/healthz' },
];
/** Who takes calls in stops first, what they need last. */
const STOP_ORDER = ['ingress', 'worker', 'dashboard', 'sandbox'];
/** ms */
const READY_TIMEOUT = 60_000;
/** A terminal's Ctrl-C may reach us twice, directly and through npm, ms. */
const SAME_SIGNAL = 1500;

// Kept over the change to the pinned Node, so that the time told is the whole time.
process.env.WRAPUP_BEGUN ??= String(Date.now());
await goOnPinned();
const begun = Number(process.env.WRAPUP_BEGUN);

const env = readEnvironment();
const running = [];
let redis;
let noted = false;
let stopping;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, onSignal);
onNpmGone(onSignal);

try {
  await begin();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  await stop(1);
}

async function begin() {
  const other = readStarted();
  if (other)
    throw new Error(
      `npm start runs here already (process ${other.pid}). Stop it with Ctrl-C first, or give this one another WRAPUP_STATE and other ports.`,
    );
  await choosePorts();
  findSandbox(env);
  const filled = fillIn();
  if (!env.REDIS_URL) {
    redis = await startKeptRedis();
    filled.REDIS_URL = env.REDIS_URL = redis.url;
    redis.exited.then(() => onDeath('Redis'));
  }
  if (stopping) return;
  noteStarted(filled);
  noted = true;
  for (const [index, service] of SERVICES.entries()) {
    const child = startService(service.name, { index, env });
    running.push(child);
    child.exited.then(() => onDeath(service.name));
  }
  await Promise.all(SERVICES.map(untilReady));
  if (!stopping) process.stdout.write(announce());
}

/** Finds out who is in the way before anything is started. */
async function choosePorts() {
  for (const { name, variable, port } of SERVICES) {
    const wanted = Number(env[variable] || port);
    if (!Number.isInteger(wanted) || wanted < 0 || wanted > 65_535) {
      throw new Error(`${variable}=${env[variable]} is no port: it must be a whole number from 0 to 65535.`);
    }
    if (wanted !== 0 && !(await isFree(wanted))) {
      throw new Error(
        `Port ${wanted} (${name}) is in use: stop what listens there, or set ${variable} to another port.`,
      );
    }
    env[variable] = String(wanted || (await freePort()));
  }
}

async function isFree(port) {
  for (const host of ['0.0.0.0', '127.0.0.1']) {
    const free = await new Promise((resolve) => {
      const probe = createServer();
      probe.once('error', (error) => resolve(error.code !== 'EADDRINUSE' && error.code !== 'EACCES'));
      probe.listen(port, host, () => probe.close(() => resolve(true)));
    });
    if (!free) return false;
  }
  return true;
}

/** Demo values for what is not set, so that the example configuration works against the sandbox. */
function fillIn() {
  const isSet = (name) => Boolean(env[name] || env[`${name}_FILE`]);
  const filled = {};
  const add = (name, value) => {
    if (!isSet(name)) filled[name] = value;
  };
  add('SYNTHFLOW_WEBHOOK_SECRET', 'demo-webhook-secret');
  // Whoever has given a token of a real account means that account.
  if (!isSet('HUBSPOT_ACCESS_TOKEN')) {
    add('HUBSPOT_BASE_URL', `${sandboxUrl(env)}/hubspot`);
    add('HUBSPOT_ACCESS_TOKEN', 'pat-sandbox');
    // For a connection to Salesforce, where the configuration has one: both CRMs are real, or none is.
    if (!isSet('SALESFORCE_CLIENT_ID')) {
      add('SALESFORCE_LOGIN_URL', `${sandboxUrl(env)}/salesforce`);
      add('SALESFORCE_CLIENT_ID', 'sandbox-consumer-key');
      add('SALESFORCE_CLIENT_SECRET', 'sandbox-consumer-secret');
    }
    if (!isSet('SYNTHFLOW_API_KEY')) {
      add('SYNTHFLOW_BASE_URL', `${sandboxUrl(env)}/synthflow`);
      add('SYNTHFLOW_API_KEY', 'sandbox');
      add('SYNTHFLOW_WORKSPACE_ID', 'sandbox-workspace');
    }
  }
  Object.assign(env, filled);
  for (const { variable } of SERVICES) filled[variable] = env[variable];
  return filled;
}

async function untilReady({ name, variable, ready }) {
  const url = `http://127.0.0.1:${env[variable]}${ready}`;
  const deadline = Date.now() + READY_TIMEOUT;
  let last = 'no answer';
  while (!stopping) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
      if (response.ok) return;
      last = `${response.status} ${(await response.text()).slice(0, 500)}`;
    } catch (error) {
      last = error.cause?.message ?? error.message;
    }
    if (Date.now() > deadline) throw new Error(`${name} did not become ready at ${url}: ${last}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function announce() {
  const at = (variable) => `http://127.0.0.1:${env[variable]}`;
  const samples = readdirSync(join(ROOT, 'samples'), { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
    .map((entry) => `    npm run wrapup -- send samples/${entry.name}`);
  const account = env.HUBSPOT_BASE_URL?.startsWith(`${sandboxUrl(env)}/`)
    ? 'No account is used: records go to the sandbox.'
    : `Records go to ${env.HUBSPOT_BASE_URL ?? 'the HubSpot account of HUBSPOT_ACCESS_TOKEN'}.`;
  const data = redis
    ? `Redis listens on ${redis.url}; its data stays in ${relative(ROOT, STATE)}/redis.`
    : 'Redis is the one of REDIS_URL.';
  return [
    '',
    `Wrapup is ready (${((Date.now() - begun) / 1000).toFixed(1)} s). ${account}`,
    '',
    `    Sandbox     ${at('SANDBOX_PORT')}    what was written to the CRM`,
    `    Dashboard   ${at('DASHBOARD_PORT')}    calls, and what became of them`,
    `    Webhook     ${at('INGRESS_PORT')}/webhooks/main/post-call`,
    '',
    'Send a call, from another terminal:',
    '',
    ...samples,
    '',
    `${data} Ctrl-C stops everything.`,
    '',
    '',
  ].join('\n');
}

function onDeath(name) {
  if (stopping) return;
  process.stderr.write(`${name} has ended unexpectedly; its last words stand above. Stopping the others.\n`);
  stop(1);
}

function onSignal() {
  if (!stopping) stop(0);
  else if (Date.now() - stopping > SAME_SIGNAL) {
    for (const child of running) child.kill();
    fail('Stopped at once.');
  }
}

async function stop(code) {
  if (stopping) return;
  stopping = Date.now();
  if (running.length > 0) process.stdout.write('\nStopping …\n');
  let failed = false;
  for (const name of STOP_ORDER) {
    const child = running.find((candidate) => candidate.name === name);
    if (child && !(await child.stop())) failed = true;
  }
  await redis?.stop();
  if (noted) forgetStarted();
  process.exit(code || (failed ? 1 : 0));
}
