/**
 * Brings docker-compose.yml up for real, as a new user would from a bare checkout, and looks whether a call lands and
 * whether every container is as locked up as the file says. Needs a Docker engine (DOCKER_HOST) and docker-compose or
 * `docker compose`. Works on a copy under a project name of its own, so it touches no installation and no .env.
 */
import { execFile } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { copyFileSync, cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './ports.mjs';
import { ROOT } from './set-up.mjs';
import { shellBlocks } from './shell-blocks.mjs';

const run = promisify(execFile);
const MINUTE = 60_000;
const CHECKOUT = [
  ...[
    '.dockerignore',
    '.env.example',
    '.npmrc',
    'Dockerfile',
    'docker-compose.yml',
    'package.json',
    'package-lock.json',
  ],
  ...['apps', 'config', 'deploy', 'packages', 'samples', 'scripts'],
];
/** Run by the project, and the port that each may have published, on which address. */
const SERVICES = { ingress: '0.0.0.0', worker: '', dashboard: '127.0.0.1', sandbox: '127.0.0.1', redis: '' };

/** What the environment and the folder of secrets of each service hold of what is secret, and nothing else. */
const STORE = ['REDIS_URL', 'WRAPUP_ENCRYPTION_KEY', 'WRAPUP_INDEX_KEY'];
const CRM = ['HUBSPOT_ACCESS_TOKEN', 'SALESFORCE_CLIENT_ID', 'SALESFORCE_CLIENT_SECRET', 'SYNTHFLOW_API_KEY'];
const HELD = {
  ingress: { variables: [], files: [...STORE, 'SYNTHFLOW_WEBHOOK_SECRET', 'WEBHOOK_PATH_TOKEN'] },
  worker: { variables: CRM, files: STORE },
  dashboard: { variables: CRM, files: [...STORE, 'DASHBOARD_PASSWORD'] },
  sandbox: { variables: [], files: [] },
  redis: { variables: [], files: ['health', 'users.acl'] },
};

const work = mkdtempSync(join(tmpdir(), 'wrapup-compose-'));
const project = `wrapup-smoke-${randomBytes(4).toString('hex')}`;
const ports = { INGRESS_PORT: await freePort(), DASHBOARD_PORT: await freePort(), SANDBOX_PORT: await freePort() };
const env = {
  ...process.env,
  ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
  COMPOSE_PROJECT_NAME: project,
  WRAPUP_IMAGE: project,
};
const compose = (await succeeds('docker-compose', ['version'])) ? ['docker-compose'] : ['docker', 'compose'];
const at = (name, path) => `http://127.0.0.1:${ports[name]}${path}`;

const count = { passed: 0, failed: 0 };
process.once('SIGINT', () => cleanUp().finally(() => process.exit(130)));
process.once('SIGTERM', () => cleanUp().finally(() => process.exit(143)));
try {
  await bringUp();
  await look();
} catch (error) {
  report('the services come up', error);
} finally {
  if (count.failed > 0) console.log(await inCompose('logs', '--no-color', '--tail', '15').catch(() => 'no logs'));
  await cleanUp();
}
console.log(`compose: ${count.passed} passed, ${count.failed} failed`);
process.exit(count.failed > 0 ? 1 : 0);

async function bringUp() {
  for (const name of CHECKOUT) {
    cpSync(join(ROOT, name), join(work, name), {
      recursive: true,
      filter: (path) => !['node_modules', '.turbo'].includes(basename(path)),
    });
  }
  copyFileSync(join(work, '.env.example'), join(work, '.env'));
  await nameRedisChecker();
  const started = Date.now();
  await inCompose('up', '-d', '--build');
  await until('all services are healthy', 10 * MINUTE, async () => {
    const states = await Promise.all(Object.keys(SERVICES).map(async (name) => [name, (await inspect(name)).State]));
    const waiting = states.filter(([, state]) => state.Health?.Status !== 'healthy');
    if (waiting.length > 0) throw new Error(waiting.map(([name, s]) => `${name}: ${s.Health?.Status}`).join(', '));
  });
  console.log(`built and healthy after ${Math.round((Date.now() - started) / 1000)} s`);
  const { stdout: size } = await run('docker', ['image', 'inspect', '--format', '{{.Size}}', project], { env });
  const node = ['ingress', 'worker', 'dashboard', 'sandbox'];
  const resident = await Promise.all(node.map(async (name) => `${name} ${await residentMemory(name)}`));
  console.log(`MB: image ${Math.round(Number(size) / 1e6)}; resident, idle: ${resident.join(', ')}`);
  const starts = [];
  for (const name of node) starts.push(`${name} ${(await secondsToListen(name)).toFixed(2)}`);
  console.log(`seconds from the container's start until it listens, one after the other: ${starts.join(', ')}`);
}

/** redis-check-aof is redis-check-rdb under another name. An image that leaves that name out gets it, as the documents use it. */
async function nameRedisChecker() {
  const image = process.env.REDIS_IMAGE || 'redis:8-bookworm';
  const has = ['run', '--rm', '--entrypoint', 'sh', image, '-c', 'command -v redis-check-aof'];
  if (await succeeds('docker', has)) return;
  env.REDIS_IMAGE = `${project}-redis`;
  const file = `FROM ${image}\nRUN ln -s "$(command -v redis-check-rdb)" /usr/local/bin/redis-check-aof\n`;
  mkdirSync(join(work, 'redis'));
  writeFileSync(join(work, 'redis/Dockerfile'), file);
  await run('docker', ['build', '-t', env.REDIS_IMAGE, join(work, 'redis')], { env });
}

/** Of a service that starts again while the others are idle. */
async function secondsToListen(name) {
  await inCompose('restart', name);
  return until(`${name} listens`, MINUTE, async () => {
    const { Id, State } = await inspect(name);
    const { stdout } = await run('docker', ['logs', '--since', State.StartedAt, Id], { env });
    const line = stdout.split('\n').find((text) => /"msg":"[^"]*listens"/.test(text));
    if (!line) throw new Error('it does not listen yet');
    return (Date.parse(JSON.parse(line).time) - Date.parse(State.StartedAt)) / 1000;
  });
}

/** Of a service's process, MB. */
async function residentMemory(name) {
  // Process 1 is Docker's init: the largest is the one that is meant.
  const lines = await inCompose('exec', '-T', name, 'sh', '-c', "grep -hs '^VmRSS' /proc/[0-9]*/status");
  const sizes = [...lines.matchAll(/(\d+) kB/g)].map(([, size]) => Number(size));
  return Math.round((Math.max(...sizes) * 1024) / 1e6);
}

async function look() {
  await check('a signed webhook is acknowledged and lands as contact, call and task', async () => {
    const body = readFileSync(join(work, 'samples', 'connected.json'));
    const id = JSON.parse(body).call.call_id;
    const [secret, token] = await Promise.all(
      ['SYNTHFLOW_WEBHOOK_SECRET', 'WEBHOOK_PATH_TOKEN'].map((name) => secretOf('ingress', name)),
    );
    const response = await fetch(at('INGRESS_PORT', `/webhooks/main/${token}/post-call`), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'synthflow-signature': createHmac('sha256', secret).update(id).digest('base64'),
      },
      body,
      signal: AbortSignal.timeout(5000),
    });
    equal('status', response.status, 202);
    await untilWritten({ contacts: 1, calls: 1, tasks: 1 });
  });
  await check('the cli service reaches ingress and the ledger', async () => {
    await inCompose('run', '--rm', '-T', 'cli', 'send', 'samples/voicemail.json');
    await untilWritten({ calls: 2 });
    const calls = JSON.parse(await inCompose('run', '--rm', '-T', 'cli', 'calls', 'list', '--json'));
    equal('calls in the ledger', calls.length, 2);
  });
  await check('the lines of the documents that begin with docker compose run', async () => {
    const lines = composeLines();
    equal('enough of them', lines.length > 10, true);
    for (const line of lines) await run('bash', ['-c', line], { cwd: work, env: { ...env, ...asDockerCompose() } });
  });
  await check('Prometheus and Grafana are there where they are asked for, and not otherwise', async () => {
    const names = ['grafana', 'prometheus'];
    const asked = (await inCompose('--profile', 'monitoring', 'config', '--services')).split('\n');
    equal('known', names.filter((name) => asked.includes(name)).length, names.length);
    const running = await inCompose('ps');
    equal('running', names.filter((name) => running.includes(name)).length, 0);
  });
  await check('the dashboard asks for the password of this installation', async () => {
    const open = (headers) => fetch(at('DASHBOARD_PORT', '/'), { redirect: 'manual', headers });
    const basic = (password) => ({ authorization: `Basic ${btoa(`admin:${password}`)}` });
    equal('status with a wrong password', (await open(basic('wrong'))).status, 401);
    equal('status', (await open(basic(await secretOf('dashboard', 'DASHBOARD_PASSWORD')))).status, 200);
    equal('status of /healthz', (await fetch(at('DASHBOARD_PORT', '/healthz'))).status, 200);
  });
  await check('without its token the webhook’s address is none, and what watches ingress is not public', async () => {
    const headers = { 'content-type': 'application/json', 'synthflow-signature': 'x' };
    const post = { method: 'POST', headers, body: '{}' };
    equal('status', (await fetch(at('INGRESS_PORT', '/webhooks/main/post-call'), post)).status, 404);
    for (const path of ['/metrics', '/readyz']) equal(path, (await fetch(at('INGRESS_PORT', path))).status, 404);
    const inside = `fetch('http://127.0.0.1:8083/metrics').then(async (r) => console.log(r.status, (await r.text()).length > 0))`;
    equal('inside', (await inCompose('exec', '-T', 'ingress', 'node', '-e', inside)).trim(), '200 true');
  });
  await check('init has ended, without a network, and what it wrote only its owners read', async () => {
    const { HostConfig, State } = await inspect('init');
    equal('exit code', State.ExitCode, 0);
    equal('network', HostConfig.NetworkMode, 'none');
    const list = `find /secrets -mindepth 1 -exec stat -c '%F %a %u %n' {} +`;
    const entries = (await inCompose('run', '--rm', '-T', '--entrypoint', 'sh', 'init', '-c', list)).trim().split('\n');
    for (const line of entries) {
      const [, type, mode, owner, name] = /^(\D+) (\d+) (\d+) \/secrets\/(.*)$/.exec(line.trim()) ?? [];
      equal(`mode of ${name ?? line}`, mode, type === 'directory' ? '700' : '600');
      const wanted = name.startsWith('installation') ? '0' : name.startsWith('redis') ? '999' : '1000';
      equal(`owner of ${name}`, owner, wanted);
    }
    const data = `stat -c %a /data; find /data -type f -exec stat -c %a {} +`;
    const modes = (await inCompose('exec', '-T', 'redis', 'sh', '-c', data)).trim().split(/\s+/);
    equal('modes of what Redis keeps', [...new Set(modes)], ['700', '600']);
  });
  for (const [name, { variables, files }] of Object.entries(HELD))
    await check(`${name} holds the secrets that it needs, and no others`, async () => {
      // What .env does not give has a name here and no value.
      const lines = (await inspect(name)).Config.Env.filter((line) => /=./.test(line));
      const set = lines.map((line) => line.split('=')[0]);
      const secret = /SECRET$|TOKEN$|PASSWORD|_KEY$|CLIENT_ID$|^REDIS_URL$/;
      equal('variables', set.filter((one) => secret.test(one)).sort(), [...variables].sort());
      const held = files.length > 0 ? await inCompose('exec', '-T', name, 'ls', '/secrets') : '';
      equal('files', held.split(/\s+/).filter(Boolean).sort(), [...files].sort());
    });
  await check('Redis asks who it is, and gives each service no more than it needs', async () => {
    const ask = async (...args) => (await inCompose('exec', '-T', 'redis', 'redis-cli', ...args)).trim();
    for (const command of [['ping'], ['get', '{wrapup}:x'], ['acl', 'list']])
      equal(
        `${command[0]} of a stranger`,
        (await ask(...command)).split(' ')[0].replace(/^\(error\)\s*/, ''),
        'NOAUTH',
      );
    const ingress = ['--no-auth-warning', '-u', await redisUrlOf('ingress')];
    for (const command of [['flushall'], ['keys', '*'], ['scan', '0'], ['get', 'other'], ['acl', 'list'], ['shutdown']])
      equal(`${command[0]} of ingress`, /NOPERM/.test(await ask(...ingress, ...command)), true);
    equal('its own keys', await ask(...ingress, 'get', '{wrapup}:none'), '');
  });
  for (const [name, address] of Object.entries(SERVICES))
    await check(`${name} is locked up`, () => lockedUp(name, address));
  await check('Redis confirms what is on the disk, and evicts nothing', async () => {
    const as = ['redis-cli', '--no-auth-warning', '-u', await redisUrlOf('worker')];
    const settings = await inCompose('exec', '-T', 'redis', ...as, 'config', 'get', '*a*');
    for (const [name, value] of [
      ['appendonly', 'yes'],
      ['appendfsync', 'always'],
      ['maxmemory-policy', 'noeviction'],
      ['hash-max-listpack-value', '1024'],
    ]) {
      if (!new RegExp(`^${name}\\r?\\n${value}\\r?$`, 'm').test(settings)) throw new Error(`${name} is not ${value}`);
    }
  });
  await check('what was acknowledged outlives Redis, and more workers share the work', async () => {
    const token = await secretOf('ingress', 'WEBHOOK_PATH_TOKEN');
    await inCompose('up', '-d', '--no-build', '--scale', 'worker=2');
    await inCompose('kill', '-s', 'KILL', 'redis');
    await inCompose('up', '-d', '--no-build', '--scale', 'worker=2');
    await untilLedgerHas(2);
    await inCompose('run', '--rm', '-T', 'cli', 'send', 'samples/unknown-caller.json');
    await untilWritten({ calls: 3 });
    equal('the path token stays the same', (await secretOf('ingress', 'WEBHOOK_PATH_TOKEN')) === token, true);
  });
  await check('a copy of Redis is taken and restored by the commands of docs/guide/backup.md', async () => {
    await runPage('Copy');
    await inCompose('run', '--rm', '-T', 'cli', 'send', 'samples/no-answer.json');
    await untilLedgerHas(4);
    await runPage('Restore');
    await untilLedgerHas(3);
  });
  await check('every process stops by itself when asked to', async () => {
    const ids = await Promise.all(['ingress', 'worker', 'dashboard', 'sandbox'].map(containerOf));
    await inCompose('stop');
    for (const id of ids) {
      const { Name, State } = await inspectId(id);
      equal(`exit code of ${Name}`, State.ExitCode, 0);
    }
  });
}

/** As the file says: an ordinary user, a root file system that cannot be written, no rights, no ports but its own. */
async function lockedUp(name, address) {
  const { Config, HostConfig, NetworkSettings } = await inspect(name);
  equal('read-only root', HostConfig.ReadonlyRootfs, true);
  equal('capabilities dropped', HostConfig.CapDrop, ['ALL']);
  equal('privileged', HostConfig.Privileged, false);
  equal('no new privileges', HostConfig.SecurityOpt, ['no-new-privileges:true']);
  equal('memory limit set', HostConfig.Memory > 0, true);
  equal('log size limited', Boolean(HostConfig.LogConfig.Config['max-size']), true);
  equal('restart policy', HostConfig.RestartPolicy.Name, 'unless-stopped');
  if (['', '0', 'root'].includes(Config.User)) throw new Error(`runs as "${Config.User}"`);
  equal('user id is not 0', (await inCompose('exec', '-T', name, 'id', '-u')).trim() !== '0', true);
  const written = await inCompose('exec', '-T', name, 'sh', '-c', 'touch /etc/x /usr/x 2>/dev/null || echo refused');
  equal('writing to the root file system', written.trim(), 'refused');
  const published = Object.values(NetworkSettings.Ports ?? {}).flatMap((bindings) => bindings ?? []);
  const addresses = new Set(published.map(({ HostIp }) => HostIp).filter((ip) => !ip.includes(':')));
  equal('published on', [...addresses].join(), address);
}

async function secretOf(service, name) {
  return (await inCompose('exec', '-T', service, 'cat', `/secrets/${name}`)).trim();
}

/** The address by which a service reaches Redis, from inside of Redis' own container. */
async function redisUrlOf(service) {
  return (await secretOf(service, 'REDIS_URL')).replace('@redis:', '@127.0.0.1:');
}

async function untilLedgerHas(wanted) {
  await until(`the ledger has ${wanted} calls`, MINUTE, async () => {
    const calls = JSON.parse(await inCompose('run', '--rm', '-T', 'cli', 'calls', 'list', '--json'));
    equal('calls in the ledger', calls.length, wanted);
  });
}

/** Runs what a console shows under a heading of the page on backups. */
async function runPage(heading) {
  const page = readFileSync(join(ROOT, 'docs/guide/backup.md'), 'utf8');
  const part = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const lines = [...part.matchAll(/^\$ docker compose (.*)$/gm)].map(([, line]) => line);
  if (lines.length === 0) throw new Error(`docs/guide/backup.md shows no console under ${heading}`);
  for (const line of lines) await run('sh', ['-c', `${compose.join(' ')} ${line}`], { cwd: work, env });
}

async function untilWritten(wanted) {
  await until(`the sandbox has ${JSON.stringify(wanted)}`, MINUTE, async () => {
    const state = await (await fetch(at('SANDBOX_PORT', '/_sandbox/state'))).json();
    for (const [type, number] of Object.entries(wanted)) equal(type, state[type].length, number);
  });
}

async function check(name, body) {
  try {
    await body();
    report(name);
  } catch (error) {
    report(name, error);
  }
}

function report(name, error) {
  if (error) count.failed += 1;
  else count.passed += 1;
  console.log(error ? `  ✗ ${name}: ${error.stderr || error.message}` : `  ✓ ${name}`);
}

function equal(what, actual, wanted) {
  if (JSON.stringify(actual) === JSON.stringify(wanted)) return;
  throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(wanted)}`);
}

/** Repeats `attempt` until it does not throw. */
async function until(what, timeout, attempt) {
  const deadline = Date.now() + timeout;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`not within ${timeout / 1000} s: ${what} (${error.message})`);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Without what a pipe looks for in the output, which need not be there. What the smoke test does itself is left out. */
function composeLines() {
  const documents = globSync(['README.md', 'docs/**/*.md'], { cwd: ROOT }).map((path) =>
    readFileSync(join(ROOT, path), 'utf8'),
  );
  const lines = documents
    .flatMap(shellBlocks)
    .flatMap((block) => block.split('\n'))
    .map((line) => line.replace(/\s#.*$| \|(?= grep).*$/g, '').trim());
  return [...new Set(lines.filter((line) => /^docker compose (?!up|--profile)/.test(line)))];
}

/** `docker compose` for a shell without a terminal, also where the plugin is a program of its own. */
function asDockerCompose() {
  const body = `shift; [ "$1" = exec ] && set -- exec -T "\${@:2}"; command ${compose.join(' ')} "$@";`;
  return { 'BASH_FUNC_docker%%': `() { ${body} }` };
}

async function inCompose(...args) {
  const [command, ...first] = compose;
  const { stdout } = await run(command, [...first, ...args], {
    cwd: work,
    env,
    timeout: 10 * MINUTE,
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

async function containerOf(service) {
  return (await inCompose('ps', '-q', service)).trim().split('\n')[0];
}

async function inspect(service) {
  return inspectId(await containerOf(service));
}

async function inspectId(id) {
  return JSON.parse((await run('docker', ['inspect', id], { env })).stdout)[0];
}

async function cleanUp() {
  await inCompose('down', '-v', '--remove-orphans', '-t', '5').catch((error) => console.error(error.message));
  await run('docker', ['image', 'rm', '-f', project, `${project}-redis`], { env }).catch(() => {});
  rmSync(work, { recursive: true, force: true });
}

async function succeeds(command, args) {
  return run(command, args).then(
    () => true,
    () => false,
  );
}
