/**
 * `npm start`: everything on this machine, without an account anywhere. Installs what is missing, starts Redis unless
 * REDIS_URL is set, then the sandbox, ingress, worker and dashboard, and says where to look.
 *
 * Ctrl-C or SIGTERM   all end in order, exit 0
 * one of them ends    the others are ended in order, exit 1
 * kill -9             they notice and end by themselves; the next start finds Redis' data as it was
 */
import { readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import {
  addSecrets,
  fillIn,
  findSandbox,
  forgetStarted,
  isGiven,
  noteStarted,
  readEnvironment,
  readStarted,
  SECRETS,
  STATE,
  sandboxUrl,
} from './environment.mjs';
import { startKeptRedis } from './kept-redis.mjs';
import { freePort, isFree } from './ports.mjs';
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
/** Far longer than a process takes to start, as a machine may have much else to do, ms. */
const READY_TIMEOUT = 120_000;
/** What to do first when calls go to a real account. */
const LOOK_FIRST = ['doctor', 'plan samples/connected.json'].map((command) => `    npm run wrapup -- ${command}`);
/** A terminal's Ctrl-C may reach us twice, directly and through npm, ms. */
const SAME_SIGNAL = 1500;

// Kept over the change to the pinned Node, so that the time shown is the whole time.
process.env.WRAPUP_BEGUN ??= String(Date.now());
await goOnPinned();
const begun = Number(process.env.WRAPUP_BEGUN);

const env = readEnvironment();
const running = [];
let redis;
/** Names of the variables that have been made here. */
let secrets = [];
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
  fillIn(env);
  secrets = addSecrets(env);
  // Pages, logs and alerts name commands as they are called on a checkout.
  env.WRAPUP_COMMAND ??= 'npm run wrapup --';
  const config = await readConfig();
  // What another terminal cannot know by itself.
  const own = Object.fromEntries(SERVICES.map(({ variable }) => [variable, env[variable]]));
  if (!isGiven(env, 'REDIS_URL')) {
    redis = await startKeptRedis();
    own.REDIS_URL = env.REDIS_URL = redis.url;
    redis.exited.then(() => onDeath('Redis'));
  }
  if (stopping) return;
  noteStarted(own, secrets);
  noted = true;
  for (const [index, service] of SERVICES.entries()) {
    const child = startService(service.name, { index, env });
    running.push(child);
    child.exited.then(() => onDeath(service.name));
  }
  await Promise.all(SERVICES.map(untilReady));
  if (!stopping) process.stdout.write(announce(config));
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

/**
 * Where calls come in, and where they go now, for each connection: a token that stands in a file is easily forgotten.
 *
 * @throws {Error} when the configuration has mistakes, with all of them: no process would start with it
 */
async function readConfig() {
  const { loadConfig, targetHostOf } = await import('../packages/config/src/index.ts');
  const { config, findings } = await loadConfig({
    env,
    file: resolve(ROOT, env.WRAPUP_CONFIG || 'config/wrapup.yaml'),
  });
  if (!config) {
    const { formatFinding } = await import('../packages/findings/src/index.ts');
    const errors = findings.filter(({ severity }) => severity === 'error').map(formatFinding);
    throw new Error([...errors, 'The configuration has errors; nothing was started.'].join('\n'));
  }
  return {
    connections: Object.values(config.connections).map(({ name, kind, settings }) => ({
      ...{ name, kind, ...targetHostOf(kind, settings) },
    })),
    sources: Object.values(config.sources).map(({ name, path_token: [token] }) => ({ name, token })),
  };
}

function announce({ connections, sources }) {
  const at = (variable) => `http://127.0.0.1:${env[variable]}`;
  const samples = readdirSync(join(ROOT, 'samples'), { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
    .map((entry) => `    npm run wrapup -- send samples/${entry.name}`);
  const webhook = ({ name, token }) => `${at('INGRESS_PORT')}/webhooks/${name}/${token ? `${token}/` : ''}post-call`;
  const isSandbox = ({ origin }) => origin === sandboxUrl(env);
  const sandboxed = connections.filter(isSandbox).map(({ name }) => name);
  const others = connections
    .filter((one) => !isSandbox(one))
    .map(({ name, kind, origin }) => `${name} (${kind}) to ${origin}`);
  const live = connections.filter(({ zone }) => zone === 'internet');
  const whereTo =
    others.length === 0
      ? 'No account is used: records go to the sandbox.'
      : `Records go to accounts: ${others.join(', ')}${sandboxed.length > 0 ? `; ${sandboxed.join(', ')} to the sandbox` : ''}.`;
  const data = redis
    ? `Redis listens on redis://127.0.0.1:${redis.port}; its data stays in ${relative(ROOT, STATE)}/redis.`
    : 'Redis is the one of REDIS_URL.';
  return [
    '',
    `Wrapup is ready (${((Date.now() - begun) / 1000).toFixed(1)} s). ${whereTo}`,
    '',
    ...(sandboxed.length > 0 || connections.length === 0
      ? [`    Sandbox     ${at('SANDBOX_PORT')}    what was written to ${sandboxed.join(', ') || 'the CRM'}`]
      : []),
    `    Dashboard   ${at('DASHBOARD_PORT')}    calls, and what became of them`,
    ...sources.map((source) => `    Webhook     ${webhook(source)}`),
    '',
    ...aboutSecrets({ live: live.length > 0, sources }),
    ...(live.length > 0
      ? ['Look before anything is written, from another terminal:', '', ...LOOK_FIRST]
      : ['Send a call, from another terminal:', '', ...samples]),
    '',
    `${data} Ctrl-C stops everything.`,
    ...(sandboxed.length > 0
      ? ['The sandbox forgets when it stops, Wrapup does not: npm run wrapup -- replay --since 7d writes it all again.']
      : []),
    '',
    '',
  ].join('\n');
}

/** Which secrets were made here, where they are, and which of them are to be replaced. */
function aboutSecrets({ live, sources }) {
  const folder = relative(ROOT, SECRETS);
  const lines = [];
  if (secrets.length > 0) {
    lines.push(
      `Made for this installation and kept in ${folder}, which belongs into the backup: ${secrets.join(', ')}.`,
    );
  }
  if (secrets.includes('DASHBOARD_PASSWORD')) {
    lines.push(
      `The dashboard asks for user ${env.DASHBOARD_USER || 'admin'} and the password in ${folder}/DASHBOARD_PASSWORD.`,
    );
  }
  if (secrets.includes('SYNTHFLOW_WEBHOOK_SECRET') && live) {
    lines.push(
      'Synthflow signs with a secret of its own (Settings > Security > Webhooks): put it into .env as SYNTHFLOW_WEBHOOK_SECRET.',
    );
  }
  for (const { name } of sources.filter(({ token }) => token === undefined)) {
    lines.push(
      `Source ${name} has no path token (WEBHOOK_PATH_TOKEN): its signature alone keeps strangers out. To make one: openssl rand -hex 16`,
    );
  }
  return lines.length > 0 ? [...lines, ''] : [];
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
