import { dirname } from 'node:path';
import type { Finding } from '@wrapup/findings';
import type { Config } from './config.ts';
import { FileSet } from './files.ts';
import { filesOf, type Loaded, loadConfig } from './load.ts';
import type { Reader } from './readers.ts';

export interface WatchOptions {
  env?: NodeJS.ProcessEnv;
  /** As for `loadConfig`. */
  reader?: Reader;
  /** Milliseconds between two looks at the files. Default 3000. */
  every?: number;
}

export interface Watch {
  /** The configuration in force. */
  readonly config: Config;
  /** The files as they were last looked at have errors, so that an older configuration is in force. */
  readonly broken: boolean;
  /**
   * Looks now rather than at the next look, and takes over what has no errors. For somebody who has just changed a file
   * and asks for something: he has finished writing.
   * @param wanted take a configuration of this hash only; whoever asks has seen it whole
   */
  hurry(wanted?: string): Promise<void>;
  close(): void;
}

/**
 * Looks at the files of the configuration every few seconds and hands over a new one when their contents changed and
 * it has no errors; otherwise the old one stays in force and `onFinding` hears why, once a change.
 *
 * Contents are compared rather than times, and files are looked at rather than watched: editors replace files, and
 * mounted config maps swap a symbolic link, both of which file watchers miss. A change counts when two looks in a row
 * saw the same, so that a half-written file is not taken for a mistake. A changed variable needs a restart; a changed
 * file behind an `X_FILE` variable does not.
 */
export function watchConfig(
  current: Config,
  onReload: (config: Config, findings: Finding[]) => void,
  onFinding: (findings: Finding[]) => void,
  options: WatchOptions = {},
): Watch {
  const folder = dirname(current.file);
  let config = current;
  let { names, hash: seen } = filesOf(current);
  let candidate: string | undefined;
  /** Contents that a hurried look found to be another configuration than the one that was asked for. */
  let other: { contents: string; wanted: string } | undefined;
  let loading: Promise<void> | undefined;
  let broken = false;

  const { env, reader } = options;
  const load = () => loadConfig({ file: config.file, ...(env && { env }), ...(reader && { reader }) });
  const take = ({ findings }: Loaded, loaded: Config) => {
    candidate = undefined;
    broken = false;
    ({ names, hash: seen } = filesOf(loaded));
    config = loaded;
    onReload(config, findings);
  };
  /** One at a time: what is under way is waited for instead. */
  const alone = (work: () => Promise<void>): Promise<void> => {
    loading ??= work().finally(() => {
      loading = undefined;
    });
    return loading;
  };

  const look = async () => {
    if (loading) return;
    const now = new FileSet().hash(folder, names);
    if (now === seen || now !== candidate) {
      candidate = now === seen ? undefined : now;
      return;
    }
    await alone(async () => {
      const loaded = await load();
      if (loaded.config) return take(loaded, loaded.config);
      candidate = undefined;
      broken = true;
      // What is missing now stays looked at, so that its coming back is noticed.
      names = [...new Set([...names, ...loaded.files.names])].sort();
      seen = loaded.files.hash(folder, names);
      onFinding(loaded.findings);
    });
  };
  const hurry = async (wanted?: string) => {
    if (loading) await loading;
    const contents = new FileSet().hash(folder, names);
    // Somebody took back what he had changed.
    if (contents === filesOf(config).hash) broken = false;
    if (contents === seen || config.hash === wanted) return;
    if (wanted !== undefined && other?.contents === contents && other.wanted === wanted) return;
    await alone(async () => {
      const loaded = await load();
      if (loaded.config && (wanted === undefined || loaded.config.hash === wanted)) take(loaded, loaded.config);
      // Mistakes are for the usual looks to tell of.
      else if (!loaded.config) broken = true;
      if (wanted !== undefined && config.hash !== wanted) other = { contents, wanted };
    });
  };
  const timer = setInterval(() => void look(), options.every ?? 3_000);
  timer.unref();
  return {
    get config() {
      return config;
    },
    get broken() {
      return broken;
    },
    hurry,
    close: () => clearInterval(timer),
  };
}
