/**
 * Takes over a changed configuration while a process runs. A change with errors is logged and the old configuration stays
 * in force.
 *
 * Contents are compared rather than times, and files are read rather than watched: editors replace files, and mounted
 * config maps swap a symbolic link, both of which file watchers miss. A change counts when two checks in a row see the
 * same contents, so that a half-written file is not taken for a mistake. A changed variable needs a restart; a changed
 * file behind an `X_FILE` variable does not.
 */
import { dirname } from 'node:path';
import type { Log } from '@wrapup/destination';
import type { Finding } from '@wrapup/findings';
import { FileSet } from './file/file-set.ts';
import { filesOf, type Loaded, loadConfig, loadConfigOrExit, logFindings } from './load.ts';
import type { Config } from './model/config.ts';
import type { Reader } from './model/reader.ts';

/** Milliseconds between two checks of the files. */
const CHECK_EVERY_MS = 3_000;

export interface ConfigWatchOptions {
  env?: NodeJS.ProcessEnv;
  /** As for `loadConfig`. */
  reader?: Reader;
  /** Milliseconds between two checks of the files. Default 3000. */
  every?: number;
}

export interface ConfigWatch {
  /** The configuration in force. */
  readonly config: Config;
  /** The files had errors at the last check, so that an older configuration is in force. */
  readonly broken: boolean;
  /**
   * Checks at once, and takes over what has no errors: for an operator who has changed a file and asks for something that
   * goes by it.
   */
  reload(): Promise<void>;
  close(): void;
}

/**
 * Checks the files of a configuration every few seconds.
 * @param onReload called with each new configuration, and its warnings
 * @param onFinding called with the findings of a change that has errors, once a change
 */
export function watchConfig(
  current: Config,
  onReload: (config: Config, findings: Finding[]) => void,
  onFinding: (findings: Finding[]) => void,
  options: ConfigWatchOptions = {},
): ConfigWatch {
  const folder = dirname(current.file);
  let config = current;
  let { names, hash: seen } = filesOf(current);
  let candidate: string | undefined;
  let loading: Promise<void> | undefined;
  let broken = false;

  const { env, reader } = options;
  const load = () => loadConfig({ file: config.file, ...(env && { env }), ...(reader && { reader }) });
  const takeOver = ({ findings }: Loaded, loaded: Config) => {
    candidate = undefined;
    broken = false;
    ({ names, hash: seen } = filesOf(loaded));
    config = loaded;
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
    const now = new FileSet().hash(folder, names);
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
      seen = loaded.files.hash(folder, names);
      onFinding(loaded.findings);
    });
  };
  const reload = async () => {
    if (loading) await loading;
    const contents = new FileSet().hash(folder, names);
    // The change was taken back.
    if (contents === filesOf(config).hash) broken = false;
    if (contents === seen) return;
    await loadOnce(async () => {
      const loaded = await load();
      if (loaded.config) takeOver(loaded, loaded.config);
      // `check` reports the mistakes.
      else broken = true;
    });
  };
  const timer = setInterval(() => void check(), options.every ?? CHECK_EVERY_MS);
  timer.unref();
  return {
    get config() {
      return config;
    },
    get broken() {
      return broken;
    },
    reload,
    close: () => clearInterval(timer),
  };
}

/** The configuration of a running process. */
export interface LiveConfig {
  /** The configuration in force. */
  current(): Config;
  /** Calls the listener after each new configuration has come into force. */
  onReload(listener: (config: Config) => void): void;
  /** The files had errors at the last check, so that an older configuration is in force. */
  readonly broken: boolean;
  /** Checks for a change at once. @returns the configuration in force then */
  reload(): Promise<Config>;
  /** Stops checking for changes. */
  close(): void;
}

/**
 * Loads the configuration, or ends the process, and takes over changes while it runs.
 * @param reader which process it is: what it never uses may be missing
 */
export async function openConfig(log: Log, reader: Reader): Promise<LiveConfig> {
  const listeners: ((config: Config) => void)[] = [];
  const watch = watchConfig(
    await loadConfigOrExit(log, { reader }),
    (config, findings) => {
      logFindings(log, findings);
      log.info({ hash: config.hash }, 'configuration reloaded');
      for (const listener of listeners) listener(config);
    },
    (findings) => {
      logFindings(log, findings);
      log.error({ findings: findings.length }, 'the changed configuration has errors; the old one stays in force');
    },
    { reader },
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
