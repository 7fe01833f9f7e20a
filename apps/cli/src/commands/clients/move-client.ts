import { once } from 'node:events';
import {
  cpSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { asObject, clientOf, localName, own } from '@wrapup/call';
import type { Config } from '@wrapup/config';
import type { CallCopy, Encryptor, MemoryCopy, Renaming, Store } from '@wrapup/queue';
import type { Command } from 'commander';
import { type GlobalOptions, requireConfig } from '../../connect/settings.ts';
import { withStore } from '../../connect/store.ts';
import { clean } from '../../terminal/clean.ts';
import { CliError, EXIT } from '../../terminal/exit.ts';
import { count, makeOutput } from '../../terminal/output.ts';
import { makeProgress } from '../../terminal/progress.ts';

/** A line of an exported file. Each is encrypted for its place in it. */
type Line =
  | { kind: 'client'; version: 1; client: string; index: string; files: Record<string, string> }
  | { kind: 'call'; call: CallCopy }
  | { kind: 'memory'; memory: MemoryCopy }
  | { kind: 'end'; lines: number };

const AS_THEY_ARE: Renaming = { source: (name) => name, route: (name) => name, connection: (name) => name };

/** What `index` of an exported file is made of: equal digests have equal keys. */
const INDEX_PROBE = ['client-export', 'index key'] as const;

/** `wrapup client export`: everything of a client whose file is out of force, in one encrypted file. */
export function addClientExport(clients: Command): void {
  clients
    .command('export')
    .description('write what is kept of a client to an encrypted file, for another installation')
    .argument('<client>')
    .requiredOption('--out <file>', 'where to; must not be there yet')
    .addHelpText('after', KEY_HELP)
    .action(async (client: string, _options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { out: string }>();
      const output = makeOutput(options.json ?? false);
      const config = await requireConfig(options, output);
      if (own(config.clients, client)) {
        throw new CliError(
          EXIT.failed,
          `client ${client} is in force here: its calls would be in work at two places`,
          `point its webhooks to the other installation, then: wrapup client remove ${client} --yes`,
        );
      }
      const key = await exportKey();
      if (existsSync(options.out))
        throw new CliError(EXIT.usage, `${clean(options.out)} is there already`, 'choose another');
      const progress = makeProgress(output, 'calls');
      const written = await withStore((store) => exportClient(store, config, client, options.out, key, progress.show));
      progress.end();
      output.data({ client, file: options.out, ...written });
      output.line(`${count(written.calls, 'call')} of client ${client} in ${clean(options.out)}.`);
      output.line(
        `There: wrapup client import ${clean(options.out)}. Afterwards, here: wrapup client remove ${client} --calls --yes`,
      );
    });
}

async function exportClient(
  store: Store,
  { file }: Config,
  client: string,
  out: string,
  key: Encryptor,
  show: (done: number, total: number | undefined) => void,
): Promise<{ calls: number; memories: number }> {
  const { copyCall, copyMemories, listCallRefs } = await import('@wrapup/queue');
  const stream = createWriteStream(out, { flags: 'wx', mode: 0o600 });
  let lines = 0;
  const write = async (line: Line) => {
    const sealed = key.encrypt(Buffer.from(JSON.stringify(line)), placeOf(lines));
    lines += 1;
    if (!stream.write(`${sealed.toString('base64')}\n`)) await once(stream, 'drain');
  };
  const index = (await store.indexKey.load())(...INDEX_PROBE);
  await write({ kind: 'client', version: 1, client, index, files: await readClientFiles(dirname(file), client) });
  let calls = 0;
  for await (const ref of listCallRefs(store, { client })) {
    const call = await copyCall(store, ref);
    if (!call) continue;
    await write({ kind: 'call', call });
    calls += 1;
    show(calls, undefined);
  }
  let memories = 0;
  for await (const memory of copyMemories(store, (name) => clientOf(name) === client)) {
    await write({ kind: 'memory', memory });
    memories += 1;
  }
  await write({ kind: 'end', lines });
  stream.end();
  await once(stream, 'finish');
  return { calls, memories };
}

/** Its file, put aside, and the mappings that it names, as far as it may name them. */
async function readClientFiles(folder: string, client: string): Promise<Record<string, string>> {
  const { parse } = await import('yaml');
  const aside = asideOf(folder, client);
  if (!existsSync(aside)) return {};
  const text = readFileSync(aside, 'utf8');
  const files: Record<string, string> = { [`clients/${client}.yaml`]: text };
  const read = (name: unknown) => {
    if (typeof name !== 'string' || files[name] !== undefined || !isFileOf(name, client)) return;
    const path = join(folder, name);
    if (!existsSync(path)) return;
    files[name] = readFileSync(path, 'utf8');
    read(asObject(parse(files[name])).extends);
  };
  const { routes } = asObject(parse(text));
  for (const route of Array.isArray(routes) ? routes : []) read(asObject(route).mapping);
  return files;
}

/** `wrapup client import`: takes in what `export` wrote. May be run again after it was interrupted. */
export function addClientImport(clients: Command): void {
  clients
    .command('import')
    .description('take in a client that another installation exported')
    .argument('<file>')
    .addHelpText(
      'after',
      `${KEY_HELP}\nCalls that are here already stay as they are, so it may be run again. Files that are here already are not overwritten.`,
    )
    .action(async (path: string, _options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const output = makeOutput(options.json ?? false);
      const config = await requireConfig(options, output);
      const key = await exportKey();
      const progress = makeProgress(output, 'calls');
      const taken = await withStore((store) => importClient(store, config, path, key, progress.show));
      progress.end();
      output.data(taken);
      for (const name of taken.written) output.line(`${output.style('green', 'wrote')} ${clean(name)}`);
      for (const name of taken.different)
        output.remark(`${clean(name)} is here already and says something else: it stays. Compare the two.`);
      if (!taken.same_key) {
        output.remark(
          'The index keys of the two installations differ: what adapters remember was left out, and calls without a payload are not found by a person any more.',
        );
      }
      output.line(
        `${count(taken.calls, 'call')} of client ${taken.client} taken in, ${taken.known} were here already. Open work goes on within a minute.`,
      );
    });
}

interface Imported {
  client: string;
  calls: number;
  known: number;
  memories: number;
  same_key: boolean;
  written: string[];
  different: string[];
}

async function importClient(
  store: Store,
  config: Config,
  path: string,
  key: Encryptor,
  show: (done: number, total: number | undefined) => void,
): Promise<Imported> {
  const { sweepNow, takeCall, takeMemory } = await import('@wrapup/queue');
  let head: Extract<Line, { kind: 'client' }> | undefined;
  const result: Imported = { client: '', calls: 0, known: 0, memories: 0, same_key: false, written: [], different: [] };
  let isWhole = false;
  for await (const line of readLines(path, key)) {
    if (line.kind === 'client') {
      if (!CLIENT.test(line.client ?? '')) throw damaged(path);
      head = line;
      result.client = line.client;
      result.same_key = line.index === (await store.indexKey.load())(...INDEX_PROBE);
      if (!Object.keys(line.files).every((name) => isFileOf(name, line.client))) throw damaged(path);
      if (existsSync(asideOf(dirname(config.file), line.client))) {
        throw new CliError(
          EXIT.failed,
          `client ${line.client} was removed here: ${clean(asideOf(dirname(config.file), line.client))}`,
          'move that file away, or rename it back, first',
        );
      }
      // First, so that its source is known when its calls are here.
      writeFiles(dirname(config.file), line.files, result);
    } else if (!head) throw damaged(path);
    else if (line.kind === 'call') {
      for (const name of namesIn(line.call)) requireOwn(name, head.client, path);
      const took = await takeCall(store, line.call, { renaming: AS_THEY_ARE, sameKey: result.same_key });
      result[took === 'known' ? 'known' : 'calls'] += 1;
      show(result.calls + result.known, undefined);
    } else if (line.kind === 'memory') {
      requireOwn(line.memory.connection, head.client, path);
      const portable = result.same_key || line.memory.kind === 'secret';
      if (portable && (await takeMemory(store, line.memory, AS_THEY_ARE))) result.memories += 1;
    } else isWhole = true;
  }
  if (!head || !isWhole) throw damaged(path);
  await sweepNow(store);
  return result;
}

const CLIENT = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
/** A path inside the folder of wrapup.yaml. */
const CONFIG_FILE = /^(?!.*\.\.)[\w-][\w./-]*\.ya?ml$/;

/** Whether a client may bring a file: its own, one of its folder, or a mapping outside of all clients' folders. */
function isFileOf(name: string, client: string): boolean {
  if (!CONFIG_FILE.test(name) || name === 'wrapup.yaml') return false;
  return !name.startsWith('clients/') || name === `clients/${client}.yaml` || name.startsWith(`clients/${client}/`);
}

/** Where `client remove` puts the file of a client. */
export function asideOf(folder: string, client: string): string {
  return join(folder, 'clients', `_${client}.yaml`);
}

/** Names of the source, routes and connections of a call. */
function namesIn({ fields }: CallCopy): string[] {
  const deliveries = Object.entries(fields).flatMap(([name, value]) => {
    if (!name.startsWith('dlv:')) return [];
    const { route, connection } = JSON.parse(value) as { route: string; connection: string };
    return [name.slice('dlv:'.length), route, connection];
  });
  return [fields.source ?? '', ...deliveries];
}

function writeFiles(folder: string, files: Record<string, string>, { written, different }: Imported): void {
  // The client's own comes last: what it names is there by then.
  for (const name of Object.keys(files).reverse()) {
    const file = join(folder, name);
    if (!existsSync(file)) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, files[name] as string, { flag: 'wx' });
      written.push(name);
    } else if (readFileSync(file, 'utf8') !== files[name]) different.push(name);
  }
}

/** A file must bring nothing of a client that it is not of. */
function requireOwn(name: string, client: string, path: string): void {
  if (clientOf(name) !== client) throw damaged(path);
}

async function* readLines(path: string, key: Encryptor): AsyncGenerator<Line> {
  if (!existsSync(path))
    throw new CliError(EXIT.usage, `${clean(path)} is not there`, 'name the file that `export` wrote');
  let number = 0;
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    const sealed = Buffer.from(text, 'base64');
    const { keyIdOf } = await import('@wrapup/queue');
    if (keyIdOf(sealed) === undefined) throw damaged(path);
    const plain = await key.decrypt(sealed, placeOf(number)).catch(() => {
      throw new CliError(
        EXIT.failed,
        `line ${number + 1} of ${clean(path)} cannot be decrypted`,
        'WRAPUP_EXPORT_KEY must be the key that it was exported with; a file that was changed cannot be read at all',
      );
    });
    number += 1;
    yield JSON.parse(plain.toString()) as Line;
  }
}

function damaged(path: string): CliError {
  return new CliError(
    EXIT.failed,
    `${clean(path)} is not whole`,
    'export it again; what was taken in from it stays, and is not taken in twice',
  );
}

function placeOf(line: number): string {
  return `client-export:${line}`;
}

const KEY_HELP =
  '\nThe file holds what callers said. It is encrypted with WRAPUP_EXPORT_KEY, 32 bytes in base64: openssl rand -base64 32';

async function exportKey(): Promise<Encryptor> {
  const [{ readVariable }, { makeEncryptor }] = await Promise.all([import('@wrapup/config'), import('@wrapup/queue')]);
  const text = readVariable('WRAPUP_EXPORT_KEY');
  const help =
    'export WRAPUP_EXPORT_KEY="$(openssl rand -base64 32)", and give it to the other side apart from the file';
  if (!text) throw new CliError(EXIT.usage, 'WRAPUP_EXPORT_KEY is not set', help);
  try {
    return makeEncryptor(text);
  } catch (error) {
    throw new CliError(
      EXIT.usage,
      (error as Error).message.replaceAll('WRAPUP_ENCRYPTION_KEY', 'WRAPUP_EXPORT_KEY'),
      help,
    );
  }
}

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
      const { adoptSource, AdoptionError, clientFile } = await import('@wrapup/config');
      if (!CLIENT.test(client) || client.length > 40) {
        throw new CliError(EXIT.usage, `"${clean(client, 80)}" is no name`, 'small letters, digits and single dashes');
      }
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
        const files = await adopt(() => adoptSource(readFileSync(config.file, 'utf8'), source, client), AdoptionError);
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
      const moved = await withStore((store) =>
        adoptCalls(store, { source, client, connections, began }, progress.show),
      );
      progress.end();
      output.data({ client, source: `${client}.${source}`, calls: moved });
      output.line(
        `Source ${source} is ${client}.${source} now, with ${count(moved, 'call')}. Its webhooks may go on to /webhooks/${source}/…, or change to /webhooks/${client}.${source}/….`,
      );
    });
}

async function adopt<Files>(
  make: () => Files,
  refusal: new (...given: never[]) => Error & { hint: string },
): Promise<Files> {
  try {
    return make();
  } catch (error) {
    if (error instanceof refusal) throw new CliError(EXIT.failed, error.message, error.hint);
    throw error;
  }
}

/** Writes both files once it is known that the configuration has no new error with them. */
async function adoptFiles(rootFile: string, file: string, files: { root: string; client: string }): Promise<void> {
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
async function tryFiles(rootFile: string, file: string, files: { root: string; client: string }): Promise<void> {
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

/** Whole or not at all, whatever happens meanwhile. */
function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
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
