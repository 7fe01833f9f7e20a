/**
 * Takes over a changed configuration while a process runs. A change with errors is logged and the old configuration stays
 * in force; for a mistake in the file of a client, that client's.
 *
 * Contents are compared rather than times, and only where there may be something to compare (`file/watched-files.ts`), so
 * that a thousand files cost next to nothing. A change counts when two checks in a row see the same contents, so that a
 * half-written file is not taken for a mistake. A changed variable needs a restart; a changed file behind an `X_FILE`
 * variable does not.
 */
import { dirname, join } from 'node:path';
import type { Log } from '@wrapup/destination';
import type { Finding } from '@wrapup/findings';
import { CLIENTS_FOLDER } from './checks/compile-mapping-file.ts';
import { FileSet } from './file/file-set.ts';
import { WatchedFiles } from './file/watched-files.ts';
import {
  clientFile,
  filesOf,
  type LastGoodFiles,
  type Loaded,
  listClients,
  loadConfig,
  loadConfigOrExit,
  logClients,
  logFindings,
} from './load.ts';
import type { Config } from './model/config.ts';
import type { Reader } from './model/reader.ts';

/** Milliseconds between two checks of the files. */
const CHECK_EVERY_MS = 400;
/** Milliseconds between two attempts to get the last good files of clients while Redis does not answer. */
const COMPLETE_EVERY_MS = 5_000;

export interface ConfigWatchOptions {
  env?: NodeJS.ProcessEnv;
  /** As for `loadConfig`. */
  reader?: Reader;
  lastGood?: LastGoodFiles;
  /** Milliseconds between two checks of the files. Default 400. */
  every?: number;
  /** The last good files of a client could not be asked for when `current` was loaded. */
  incomplete?: boolean;
}

export interface ConfigWatch {
  /** The configuration in force. */
  readonly config: Config;
  /** wrapup.yaml had errors at the last check, so that an older configuration is in force. */
  readonly broken: boolean;
  /**
   * Checks at once, and takes over what has no errors: for an operator who has changed a file and asks for something that
   * goes by it.
   */
  reload(): Promise<void>;
  close(): void;
}

/** Hash of the contents of all files of a configuration, and of the files of clients that are new. */
function hashOfContents(folder: string, names: readonly string[]): string {
  const clients = listClients(folder).clients.map((client) => clientFile(folder, client));
  return new FileSet().hash(folder, [...new Set([...names, ...clients])].sort());
}

/**
 * Checks the files of a configuration every few hundred milliseconds.
 * @param onReload called with each new configuration, and its findings
 * @param onFinding called with the findings of a change of wrapup.yaml that has errors, once a change
 */
export function watchConfig(
  current: Config,
  onReload: (config: Config, findings: Finding[]) => void,
  onFinding: (findings: Finding[]) => void,
  options: ConfigWatchOptions = {},
): ConfigWatch {
  const folder = dirname(current.file);
  const contents = new WatchedFiles(join(folder, CLIENTS_FOLDER), (all) => hashOfContents(folder, all));
  let config = current;
  let { names, hash: seen } = filesOf(current);
  let candidate: string | undefined;
  let loading: Promise<void> | undefined;
  let broken = false;
  let incomplete = options.incomplete ?? false;

  const { env, reader, lastGood } = options;
  const load = () =>
    loadConfig({
      ...{ file: config.file, previous: config },
      ...(env && { env }),
      ...(reader && { reader }),
      ...(lastGood && { lastGood }),
    });
  const takeOver = ({ findings, ...loaded }: Loaded, next: Config) => {
    candidate = undefined;
    broken = false;
    incomplete = loaded.incomplete;
    ({ names, hash: seen } = filesOf(next));
    config = next;
    onReload(config, findings);
  };
  /** Runs one load at a time: a second caller waits for the one under way. */
  const loadOnce = (work: () => Promise<void>): Promise<void> => {
    loading ??= work().finally(() => {
      loading = undefined;
    });
    return loading;
  };

  const check = async () => {
    if (loading) return;
    const now = contents.hash(names);
    if (now === seen || now !== candidate) {
      candidate = now === seen ? undefined : now;
      return;
    }
    await loadOnce(async () => {
      const loaded = await load();
      if (loaded.config) return takeOver(loaded, loaded.config);
      candidate = undefined;
      broken = true;
      // Missing files stay in the list, so that the check sees them come back.
      names = [...new Set([...names, ...loaded.files.names])].sort();
      seen = hashOfContents(folder, names);
      onFinding(loaded.findings);
    });
  };
  const reload = async () => {
    if (loading) await loading;
    const now = hashOfContents(folder, names);
    // The change was taken back.
    if (now === filesOf(config).hash) broken = false;
    if (now === seen) return;
    await loadOnce(async () => {
      const loaded = await load();
      if (loaded.config) takeOver(loaded, loaded.config);
      // `check` reports the mistakes.
      else broken = true;
    });
  };
  /** Asks again for the last good files of clients, once the store answers. */
  const complete = () =>
    loadOnce(async () => {
      const loaded = await load();
      if (loaded.config) takeOver(loaded, loaded.config);
    });
  const timer = setInterval(() => void check(), options.every ?? CHECK_EVERY_MS);
  const slow = setInterval(() => {
    if (incomplete && !broken) void complete();
  }, COMPLETE_EVERY_MS);
  timer.unref();
  slow.unref();
  return {
    get config() {
      return config;
    },
    get broken() {
      return broken;
    },
    reload,
    close: () => {
      clearInterval(timer);
      clearInterval(slow);
      contents.close();
    },
  };
}

/** The configuration of a running process. */
export interface LiveConfig {
  /** The configuration in force. */
  current(): Config;
  /** Calls the listener after each new configuration has come into force. */
  onReload(listener: (config: Config) => void): void;
  /** wrapup.yaml had errors at the last check, so that an older configuration is in force. */
  readonly broken: boolean;
  /** Checks for a change at once. @returns the configuration in force then */
  reload(): Promise<Config>;
  /** Stops checking for changes. */
  close(): void;
}

/**
 * Loads the configuration, or ends the process, and takes over changes while it runs.
 * @param reader which process it is: what it never uses may be missing
 * @param lastGood where the last good files of clients are kept
 */
export async function openConfig(log: Log, reader: Reader, lastGood: LastGoodFiles): Promise<LiveConfig> {
  const listeners: ((config: Config) => void)[] = [];
  const { config: first, incomplete } = await loadConfigOrExit(log, { reader, lastGood });
  const watch = watchConfig(
    first,
    (config, findings) => {
      logFindings(log, findings);
      log.info({ hash: config.hash }, 'configuration reloaded');
      logClients(log, config);
      for (const listener of listeners) listener(config);
    },
    (findings) => {
      logFindings(log, findings);
      log.error({ findings: findings.length }, 'the changed configuration has errors; the old one stays in force');
    },
    { reader, lastGood, incomplete },
  );
  return {
    current: () => watch.config,
    onReload: (listener) => listeners.push(listener),
    get broken() {
      return watch.broken;
    },
    async reload() {
      await watch.reload();
      return watch.config;
    },
    close: () => watch.close(),
  };
}
