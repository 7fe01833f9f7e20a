import { once } from 'node:events';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { asObject, clientOf, own } from '@wrapup/call';
import type { Config } from '@wrapup/config';
import type { CallCopy, Encryptor, MemoryCopy, Renaming, Store } from '@wrapup/queue';
import type { Command } from 'commander';
import { operator } from '../../connect/operator.ts';
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
      const written = await withStore(async (store) => {
        await store.audit.note(operator(), { action: 'export client', target: client });
        return exportClient(store, config, client, options.out, key, progress.show);
      }).catch((error) => {
        // Half of it is of no use, and would be in the way of the next try.
        rmSync(options.out, { force: true });
        throw error;
      });
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
  // By its default export: a bundle gives no other of what is CommonJS and asked for later.
  const [{ default: yaml }, { removedClientFile }] = await Promise.all([import('yaml'), import('@wrapup/config')]);
  const aside = removedClientFile(folder, client);
  if (!existsSync(aside)) return {};
  const text = readFileSync(aside, 'utf8');
  const files: Record<string, string> = { [`clients/${client}.yaml`]: text };
  const read = (name: unknown) => {
    if (typeof name !== 'string' || files[name] !== undefined || !isFileOf(name, client)) return;
    const path = join(folder, name);
    if (!existsSync(path)) return;
    files[name] = readFileSync(path, 'utf8');
    read(asObject(yaml.parse(files[name])).extends);
  };
  const { routes } = asObject(yaml.parse(text));
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
      const taken = await withStore(async (store) => {
        const taken = await importClient(store, config, path, key, progress.show);
        await store.audit.note(operator(), { action: 'change client', target: taken.client });
        return taken;
      });
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
  const [{ sweepNow, takeCall, takeMemory }, { isName, removedClientFile }] = await Promise.all([
    import('@wrapup/queue'),
    import('@wrapup/config'),
  ]);
  const folder = dirname(config.file);
  let head: Extract<Line, { kind: 'client' }> | undefined;
  const result: Imported = { client: '', calls: 0, known: 0, memories: 0, same_key: false, written: [], different: [] };
  let isWhole = false;
  for await (const line of readLines(path, key)) {
    if (line.kind === 'client') {
      if (!isName(line.client ?? '')) throw damaged(path);
      head = line;
      result.client = line.client;
      result.same_key = line.index === (await store.indexKey.load())(...INDEX_PROBE);
      if (!Object.keys(line.files).every((name) => isFileOf(name, line.client))) throw damaged(path);
      const aside = removedClientFile(folder, line.client);
      if (existsSync(aside)) {
        throw new CliError(
          EXIT.failed,
          `client ${line.client} was removed here: ${clean(aside)}`,
          'move that file away, or rename it back, first',
        );
      }
      // First, so that its source is known when its calls are here.
      writeFiles(folder, line.files, result);
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

/** A path inside the folder of wrapup.yaml. */
const CONFIG_FILE = /^(?!.*\.\.)[\w-][\w./-]*\.ya?ml$/;

/** Whether a client may bring a file: its own, one of its folder, or a mapping outside of all clients' folders. */
function isFileOf(name: string, client: string): boolean {
  if (!CONFIG_FILE.test(name) || name === 'wrapup.yaml') return false;
  return !name.startsWith('clients/') || name === `clients/${client}.yaml` || name.startsWith(`clients/${client}/`);
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
  const { keyIdOf } = await import('@wrapup/queue');
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    const sealed = Buffer.from(text, 'base64');
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
