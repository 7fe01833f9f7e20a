/**
 * Runs the command again and again in one process, for tests: to start and load it each time would take most of their time.
 * Each run has its own arguments, environment, input and output, and evaluates `main.ts` afresh.
 *
 * What a process of its own would show, this one must show too: whatever a run leaves behind that would keep its process
 * from ending (a connection, a timer) is waited for, and then reported.
 */
import { Readable, Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';

/** What comes over IPC. */
export interface Order {
  args: string[];
  env: Record<string, string>;
  stdin: string;
}

/** What goes back. */
export interface Done {
  code: number;
  stdout: string;
  stderr: string;
}

/** Ms after which what is still open counts as left behind. */
const LEFT_BEHIND = 20_000;
/** Of the process itself: its pipes and its channel. */
const OWN = new Set(['PipeWrap', 'Immediate', 'TickObject']);

let runs = 0;
/** Texts of the run under way. */
let said = { stdout: '', stderr: '' };
let failed = false;

for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
  process.on(event, (error) => {
    said.stderr += `${(error as Error)?.stack ?? error}\n`;
    failed = true;
  });
}

process.on('message', async (order: Order) => {
  process.send?.(await run(order));
});
process.on('disconnect', () => process.exit());
process.send?.('ready');

async function run({ args, env, stdin }: Order): Promise<Done> {
  const before = open();
  said = { stdout: '', stderr: '' };
  failed = false;
  process.exitCode = undefined;
  process.argv.splice(2, process.argv.length, ...args);
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  replace('stdin', Readable.from(stdin === '' ? [] : [Buffer.from(stdin)]));
  replace('stdout', writing('stdout'));
  replace('stderr', writing('stderr'));
  runs += 1;
  await import(`../../src/main.ts?run=${runs}`).catch((error) => {
    said.stderr += `${error.stack}\n`;
    failed = true;
  });
  const until = Date.now() + LEFT_BEHIND;
  while (more(before).length > 0 && Date.now() < until) await pause(5, undefined, { ref: false });
  const left = more(before);
  if (left.length > 0) said.stderr += `the process would not have ended: ${left.join(', ')}\n`;
  const code = failed || left.length > 0 ? 1 : Number(process.exitCode ?? 0);
  return { code, ...said };
}

function writing(name: 'stdout' | 'stderr'): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      said[name] += chunk;
      done();
    },
  });
}

function replace(name: 'stdin' | 'stdout' | 'stderr', value: Readable | Writable): void {
  Object.defineProperty(process, name, { value, configurable: true });
}

/** What keeps this process alive, by kind. */
function open(): Map<string, number> {
  const kinds = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (!OWN.has(kind)) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return kinds;
}

function more(before: Map<string, number>): string[] {
  return [...open()].filter(([kind, count]) => count > (before.get(kind) ?? 0)).map(([kind]) => kind);
}
