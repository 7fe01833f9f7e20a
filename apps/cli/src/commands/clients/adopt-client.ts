import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { clientOf, localName, own } from '@wrapup/call';
import type { AdoptedFiles } from '@wrapup/config';
import { replaceFile } from '@wrapup/config/replace-file';
import type { Store } from '@wrapup/queue';
import type { Command } from 'commander';
import { requireName } from '../../connect/client-option.ts';
import { operator } from '../../connect/operator.ts';
import { type GlobalOptions, requireConfig } from '../../connect/settings.ts';
import { withStore } from '../../connect/store.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT } from '../../terminal/exit.ts';
import { count, makeOutput } from '../../terminal/output.ts';
import { makeProgress } from '../../terminal/progress.ts';

/** Ms for deliveries in hand, before a call is left for the next pass. */
const WAIT_MS = 15_000;
const PASS_EVERY_MS = 2_000;
/** Ms without a further call of the old name: longer than processes take to read their files. */
const QUIET_MS = 6_000;

/** `wrapup client adopt`: a source of wrapup.yaml becomes a client's, with its calls and its keys. */
export function addClientAdopt(clients: Command): void {
  clients
    .command('adopt')
    .description('move a source of wrapup.yaml, what only its calls use, and its calls into the file of a client')
    .argument('<source>', 'its name in wrapup.yaml')
    .requiredOption('--as <client>', 'name of the client')
    .option('--plan', 'show both files and change nothing')
    .addHelpText(
      'after',
      '\nKeys in CRMs stay (key_prefix), and so does the address of its webhooks. Run it again after it was interrupted.',
    )
    .action(async (source: string, _options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { as: string; plan?: boolean }>();
      const { as: client } = options;
      const output = makeOutput(options.json ?? false);
      const config = await requireConfig(options, output);
      const { clientFile } = await import('@wrapup/config');
      await requireName(client);
      const file = clientFile(dirname(config.file), client);
      const began = Date.now();
      const isDone = own(config.sources, `${client}.${source}`)?.key_prefix === source;
      if (options.plan && isDone) {
        output.data({ client, done: true });
        return output.line(
          `Source ${source} is ${client}.${source} already; without --plan, calls that are left are moved.`,
        );
      }
      if (!isDone) {
        const files = await filesOf(config.file, source, client);
        if (options.plan) {
          output.data({ ...files, name: client });
          for (const [name, text] of [
            [config.file, files.root],
            [file, files.client],
          ] as const) {
            output.line(`--- ${clean(name)}`);
            for (const line of text.split('\n')) output.line(clean(line, 1_000));
          }
          return;
        }
        await adoptFiles(config.file, file, files);
        output.line(`${output.style('green', 'wrote')} ${clean(file)}`);
      }
      const progress = makeProgress(output, 'calls');
      // What adapters remember goes along for connections that are in wrapup.yaml no more.
      const now = await requireConfig(options, output);
      const theirs = Object.keys(now.connections).filter((name) => clientOf(name) === client);
      const connections = theirs.map(localName).filter((name) => !Object.hasOwn(now.connections, name));
      const moved = await withStore(async (store) => {
        await store.audit.note(operator(), { action: 'change client', target: client, source });
        return adoptCalls(store, { source, client, connections, began }, progress.show);
      });
      progress.end();
      output.data({ client, source: `${client}.${source}`, calls: moved });
      output.line(
        `Source ${source} is ${client}.${source} now, with ${count(moved, 'call')}. Its webhooks may go on to /webhooks/${source}/…, or change to /webhooks/${client}.${source}/….`,
      );
    });
}

/** Both files as they are to be. @throws CliError where the source cannot move */
async function filesOf(rootFile: string, source: string, client: string): Promise<AdoptedFiles> {
  const { adoptSource, AdoptionError } = await import('@wrapup/config');
  try {
    return adoptSource(readFileSync(rootFile, 'utf8'), source, client);
  } catch (error) {
    if (error instanceof AdoptionError) throw new CliError(EXIT.failed, error.message, error.hint);
    throw error;
  }
}

/** Writes both files once it is known that the configuration has no new error with them. */
async function adoptFiles(rootFile: string, file: string, files: AdoptedFiles): Promise<void> {
  if (existsSync(file) && readFileSync(file, 'utf8') !== files.client) {
    throw new CliError(EXIT.failed, `${clean(file)} is there already`, 'choose another name');
  }
  await tryFiles(rootFile, file, files);
  mkdirSync(dirname(file), { recursive: true });
  // First the client's: until wrapup.yaml gives the source up, the two clash and the client waits. Interrupted in between,
  // the same command goes on, as it would write the same.
  replaceFile(file, files.client);
  replaceFile(rootFile, files.root);
}

/** Loads a copy of the configuration as it would be. @throws CliError when it would have an error */
async function tryFiles(rootFile: string, file: string, files: AdoptedFiles): Promise<void> {
  const { loadConfig } = await import('@wrapup/config');
  const folder = dirname(rootFile);
  const copy = mkdtempSync(join(tmpdir(), 'wrapup-adopt-'));
  try {
    cpSync(folder, copy, { recursive: true });
    const at = (name: string) => join(copy, relative(folder, name));
    mkdirSync(dirname(at(file)), { recursive: true });
    writeFileSync(at(file), files.client);
    writeFileSync(at(rootFile), files.root);
    const { config, findings } = await loadConfig({ file: at(rootFile) });
    const errors = config ? [] : findings.filter(({ severity }) => severity === 'error');
    const [first] = [
      ...errors,
      ...Object.values(config?.clients ?? {}).flatMap((one) => (one.file === at(file) ? one.errors : [])),
    ];
    if (!first) return;
    throw new CliError(
      EXIT.failed,
      `the client's file would have an error: ${clean(first.message)}`,
      first.hint ?? 'nothing was written',
    );
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function adoptCalls(
  store: Store,
  { source, client, connections, began }: { source: string; client: string; connections: string[]; began: number },
  show: (done: number, total: number | undefined) => void,
): Promise<number> {
  const { copyMemories, listCallRefs, moveCall, removeMemory, sweepNow, takeMemory } = await import('@wrapup/queue');
  const into = (name: string) => (clientOf(name) === undefined ? `${client}.${name}` : name);
  const options = { renaming: { source: into, route: into, connection: into }, sameKey: true, reviveSince: began };
  const moveMemories = async (leave: boolean) => {
    for await (const memory of copyMemories(store, (name) => connections.includes(name))) {
      await takeMemory(store, memory, options.renaming);
      if (!leave) await removeMemory(store, memory);
    }
  };
  // Before its calls: what is delivered under the new name meanwhile goes by what is remembered.
  await moveMemories(true);
  let moved = 0;
  let quiet = Date.now();
  while (Date.now() - quiet < QUIET_MS) {
    // The processes read their files meanwhile, so that nothing more comes under the old name.
    await new Promise((resolve) => setTimeout(resolve, PASS_EVERY_MS));
    for await (const call of listCallRefs(store, { source })) {
      quiet = Date.now();
      if (!(await moveCall(store, call, options, WAIT_MS))) continue;
      moved += 1;
      show(moved, undefined);
    }
  }
  await moveMemories(false);
  await sweepNow(store);
  return moved;
}
