/**
 * Every command line of the documents is run, in the order in which they stand, in a checkout of its own beside an
 * installation that `npm start` made. What a test cannot run is listed with the reason.
 */
import { execFile } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { freePort } from '../scripts/ports.mjs';
import { shellBlocks } from '../scripts/shell-blocks.mjs';
import { PATIENCE } from './support/patience.ts';
import { scriptOf } from './support/process.ts';
import { type Run, runScript } from './support/terminal.ts';
import { type Listening, listenTiny } from './support/tiny-server.ts';

const ROOT = resolve(import.meta.dirname, '..');
/** Comes last, as it moves the installation's calls to a client. */
const MOVES = 'docs/guide/agencies.md';
const DOCUMENTS = [
  'README.md',
  ...globSync(['docs/**/*.md', 'deploy/**/*.md'], { cwd: ROOT, exclude: [MOVES] }).sort(),
  MOVES,
];
const SAMPLE = JSON.parse(readFileSync(join(ROOT, 'samples/connected.json'), 'utf8')).call.call_id as string;
const REFUSED = JSON.parse(readFileSync(join(ROOT, 'samples/voicemail.json'), 'utf8')).call.call_id as string;

/** Lines that are run by something else, or need what no test has. */
const ELSEWHERE: [line: RegExp, why: string][] = [
  [
    /^npm (start|test\b)|^npm run (test:faults|explore|soak|bench|ingress|sbom)\b|^npx turbo/,
    'a test, a job of CI or hours of their own',
  ],
  [/^npm run site/, 'site.test.ts'],
  [/^npm run new-destination|^npx (biome|tsc|vitest)/, 'new-destination.test.ts follows the guide'],
  [/^docker (compose|stats)|^cp \.env\.example/, 'scripts/smoke-compose.mjs, where an engine is'],
  [/^docker |^image=/, 'a registry'],
  [/^(kubectl|password=|--from-literal)/, 'a cluster; kubernetes.test.ts renders what is applied'],
  [/^(cosign|gh|--certificate-identity) /, 'a release on GitHub'],
  [/appendonly/, 'test/upgrade/restore.test.ts follows the guide'],
  [/^redis-cli |^iostat /, 'tools that a machine with Node.js alone does not have'],
  [/^[A-Z_]+=/, 'a line of .env'],
];

/** Of the token that a line has made. */
let tokenId = '';

/** What is there when a line is run, and how it ends where that is not with 0. */
const OTHERWISE: Record<string, { before?: () => unknown; code?: number; says?: RegExp }> = {
  'wrapup token add --role operator --client acme --name "night shift" --expires 90d': {
    before: () => sh('wrapup client add acme --crm hubspot'),
  },
  'wrapup token revoke <token id>': {
    before: async () => {
      tokenId = JSON.parse((await sh('wrapup token list --json')).output)[0].id;
    },
  },
  'npm run wrapup -- backfill --from 2026-05-01 --to 2026-06-01 --plan': { before: () => removeClient() },
  'wrapup user add eve --role viewer --client acme': { before: () => sh('wrapup client add acme --crm hubspot') },
  'npm run wrapup -- client add acme --crm hubspot': { before: removeClient },
  'wrapup client adopt main --as acme --plan': { before: removeClient },
  'wrapup client export acme --out acme.wrapup': { before: () => sh('wrapup client remove acme --yes') },
  'npm run wrapup -- parked replay --resume': { code: 1, says: /there is no replay of what is parked to resume/ },
};

let folder: string;
let checkout: string;
let receiver: Listening;
let installation: Run;
let env: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wrapup-docs-'));
  checkout = join(folder, 'checkout');
  for (const path of ['config', 'docs', 'package.json', 'package-lock.json', 'samples', 'schema', 'scripts'])
    cpSync(join(ROOT, path), join(checkout, path), { recursive: true });
  for (const path of ['apps', 'packages', 'node_modules']) symlinkSync(join(ROOT, path), join(checkout, path));
  cpSync(join(ROOT, 'samples/connected.json'), join(checkout, 'payload.json'));
  receiver = await listenTiny((body, _request, response) => {
    response.statusCode = body.includes(REFUSED) ? 500 : 204;
    response.end();
  });
  writeFileSync(join(checkout, 'config/mappings/ops.yaml'), 'extends: http/event\n');
  const file = join(checkout, 'config/wrapup.yaml');
  writeFileSync(file, withAllConnections(readFileSync(file, 'utf8')));

  const [ingress, worker, dashboard, sandbox] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const { PATH = '', HOME = '', LD_LIBRARY_PATH } = process.env;
  env = {
    ...{ PATH, HOME, ...(LD_LIBRARY_PATH && { LD_LIBRARY_PATH }) },
    WRAPUP_STATE: join(folder, 'state'),
    WRAPUP_ENV_FILE: join(folder, '.env'),
    WRAPUP_CONFIG: file,
    INGRESS_PORT: `${ingress}`,
    WORKER_PORT: `${worker}`,
    DASHBOARD_PORT: `${dashboard}`,
    SANDBOX_PORT: `${sandbox}`,
    // What `wrapup client add acme` asks for.
    ACME_SYNTHFLOW_WEBHOOK_SECRET: 'd0b6a4b7c1f34f2f9a9a0d1e2c3b4a59',
    ACME_PATH_TOKEN: '51c0de9a77401bb3f1c0de9a77401b3f',
    ACME_HUBSPOT_ACCESS_TOKEN: 'pat-na1-acme',
  };
  installation = runScript(['scripts/start.mjs'], env);
  const over = installation.ended.then((code) =>
    Promise.reject(new Error(`npm start ended with ${code}: ${installation.output()}`)),
  );
  await Promise.race([over, vi.waitFor(() => expect(installation.output()).toMatch(/Wrapup is ready/), 2 * PATIENCE)]);
  over.catch(() => {});
});

afterAll(async () => {
  installation.child.kill('SIGTERM');
  await installation.ended;
  await receiver.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The example for Salesforce without its comment signs, and the connection `ops` that the runbooks name. */
function withAllConnections(config: string): string {
  const ops = `  ops: { kind: http, url: "${receiver.url}", allow_private: true }\n`;
  return config
    .replace(/^( {2})# (service:| {2}(?:kind: sales|login_url|client_)|- \{ name: service-)/gm, '$1$2')
    .replace(
      '\nroutes:\n',
      `\n${ops}\nroutes:\n  - { name: ops-events, to: ops, mapping: mappings/ops.yaml, retries: { attempts: 1 } }\n`,
    );
}

function removeClient(): void {
  for (const path of globSync('config/clients/acme*', { cwd: checkout }))
    rmSync(join(checkout, path), { recursive: true });
}

interface Line {
  page: string;
  line: string;
}

/** The lines of the blocks of shell, without comments; a line that ends with `\` goes on in the next. */
function linesOf(page: string): Line[] {
  return shellBlocks(readFileSync(join(ROOT, page), 'utf8'))
    .flatMap((block) => block.split('\n'))
    .map((line) =>
      line
        .replace(/(^|\s+)#.*$/, '')
        .replace(/\s*\\$/, '')
        .trim(),
    )
    .filter((line) => line !== '')
    .map((line) => ({ page, line }));
}

const ALL = DOCUMENTS.flatMap(linesOf);
const RUN = ALL.filter(({ line }) => !ELSEWHERE.some(([pattern]) => pattern.test(line))).filter(
  ({ line }, index, lines) => lines.findIndex((one) => one.line === line) === index,
);

/** As in a terminal at the root of the checkout. `npm run wrapup --` runs this script, here with the command as the image has it. */
const SHELL = `
wrapup() { "$NODE" scripts/run.mjs "$CLI" "$@"; }
npm() { shift 3; wrapup "$@"; }
`;

function sh(line: string): Promise<{ code: number; output: string }> {
  const command = line
    .replaceAll('https://hooks.example.com', `http://127.0.0.1:${env.INGRESS_PORT}`)
    .replaceAll('http://127.0.0.1:8082', `http://127.0.0.1:${env.WORKER_PORT}`)
    .replaceAll('<call id>', SAMPLE)
    .replaceAll('0f3a…', REFUSED)
    .replaceAll('<token id>', tokenId);
  const cli = relative(ROOT, scriptOf('cli'));
  const all = { ...env, NODE: process.execPath, CLI: cli, WRAPUP_EXPORT_KEY: Buffer.alloc(32, 7).toString('base64') };
  return new Promise((done) => {
    execFile('bash', ['-c', SHELL + command], { cwd: checkout, env: all }, (error, stdout, stderr) =>
      done({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
}

it('reads the blocks of the documents', () => {
  expect(RUN.length).toBeGreaterThan(50);
  const idle = ELSEWHERE.filter(([pattern]) => !ALL.some(({ line }) => pattern.test(line)));
  expect(idle).toEqual([]);
  expect(Object.keys(OTHERWISE).filter((line) => !RUN.some((one) => one.line === line))).toEqual([]);
});

it.each(RUN)('$page: $line', async ({ line }) => {
  const { before, code = 0, says = /(?:)/ } = OTHERWISE[line] ?? {};
  await before?.();
  const { code: ended, output } = await sh(line);
  expect(ended, output).toBe(code);
  expect(output).toMatch(says);
});
