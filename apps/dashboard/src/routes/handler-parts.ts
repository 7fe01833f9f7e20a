import type { Config } from '@wrapup/config';
import type { Store } from '@wrapup/queue';
import type { Logger } from '@wrapup/telemetry';

/** What pages and API are made from. */
export interface HandlerParts {
  store: Store;
  /** The configuration as it is now. */
  config: () => Config;
  /** The configuration as its files are now: an operator may have changed one just before an action. */
  latest: () => Promise<Latest>;
  /** Names of all connections that have a queue, configured or not. */
  connections: () => Promise<string[]>;
  log: Logger;
}

/** The configuration in force, after a look at its files. */
export interface Latest {
  config: Config;
  /** The files have errors, so that it is an older one. */
  broken: boolean;
}
