import type { Log } from '@wrapup/destination';
import type { Config } from './config.ts';
import { loadConfigOrExit, logFindings } from './load.ts';
import type { Reader } from './readers.ts';
import { watchConfig } from './watch.ts';

export interface FollowedConfig {
  /** The configuration in force. */
  current(): Config;
  /** Calls it after each new configuration has come into force. */
  onReload(listener: (config: Config) => void): void;
  /** The files as they were last looked at have errors, so that an older configuration is in force. */
  readonly broken: boolean;
  /**
   * Looks for a change now rather than within seconds, and answers what is in force then.
   * @param wanted take only a configuration of this hash
   */
  hurry(wanted?: string): Promise<Config>;
  /** Stops looking for changes. */
  close(): void;
}

/**
 * For processes: loads the configuration or ends the process, and takes over changes while it runs. A change with errors
 * is logged and the old configuration stays in force.
 *
 * @param reader which process it is: what it never uses may be missing
 */
export async function followConfig(log: Log, reader: Reader): Promise<FollowedConfig> {
  let config = await loadConfigOrExit(log, { reader });
  const listeners: ((config: Config) => void)[] = [];
  const watch = watchConfig(
    config,
    (next, findings) => {
      config = next;
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
    current: () => config,
    onReload: (listener) => listeners.push(listener),
    get broken() {
      return watch.broken;
    },
    async hurry(wanted) {
      await watch.hurry(wanted);
      return config;
    },
    close: () => watch.close(),
  };
}
