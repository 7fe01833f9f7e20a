import { dirname } from 'node:path';
import type { Finding } from '@wrapup/mapping';
import type { Config } from './config.ts';
import { FileSet } from './files.ts';
import { filesOf, loadConfig } from './load.ts';

export interface WatchOptions {
  env?: NodeJS.ProcessEnv;
  /** Milliseconds between two looks at the files. Default 3000. */
  every?: number;
}

export interface Watch {
  /** The configuration in force. */
  readonly config: Config;
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
  let busy = false;

  const look = async () => {
    if (busy) return;
    const now = new FileSet().hash(folder, names);
    if (now === seen || now !== candidate) {
      candidate = now === seen ? undefined : now;
      return;
    }
    busy = true;
    try {
      const loaded = await loadConfig({ file: config.file, ...(options.env ? { env: options.env } : {}) });
      candidate = undefined;
      if (loaded.config) {
        ({ names, hash: seen } = filesOf(loaded.config));
        config = loaded.config;
        onReload(config, loaded.findings);
      } else {
        // What is missing now stays looked at, so that its coming back is noticed.
        names = [...new Set([...names, ...loaded.files.names])].sort();
        seen = loaded.files.hash(folder, names);
        onFinding(loaded.findings);
      }
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(() => void look(), options.every ?? 3_000);
  timer.unref();
  return {
    get config() {
      return config;
    },
    close: () => clearInterval(timer),
  };
}
