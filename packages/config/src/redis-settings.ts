import { readVariable } from './file/variables.ts';

/** What every process has to know of Redis. */
export interface RedisSettings {
  /** `REDIS_URL`; the usual local address when it is not set. */
  url: string;
  /** `REDIS_CA`: certificate authorities in PEM, for a Redis whose certificate no public one has signed. */
  ca?: string;
  /** `WRAPUP_PREFIX`. */
  prefix?: string;
  /** `WRAPUP_ENCRYPTION_KEY`. */
  encryption_keys?: string;
  /** `WRAPUP_INDEX_KEY`. */
  index_key?: string;
}

/** Reads them from the environment, each also from the file that `X_FILE` names. @throws VariableError */
export function readRedisSettings(env: NodeJS.ProcessEnv = process.env): RedisSettings {
  const prefix = readVariable('WRAPUP_PREFIX', env);
  const keys = readVariable('WRAPUP_ENCRYPTION_KEY', env);
  const index = readVariable('WRAPUP_INDEX_KEY', env);
  const ca = readVariable('REDIS_CA', env);
  return {
    url: readVariable('REDIS_URL', env) || 'redis://127.0.0.1:6379',
    ...(ca ? { ca } : {}),
    ...(prefix ? { prefix } : {}),
    ...(keys ? { encryption_keys: keys } : {}),
    ...(index ? { index_key: index } : {}),
  };
}
