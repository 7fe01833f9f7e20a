import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { readVariable } from '@wrapup/config';
import { listenHost, readTrustedProxies } from '@wrapup/telemetry';
import { isLoopback } from './security/hosts.ts';
import type { Credentials } from './security/principal.ts';
import { readSingleSignOn, type SingleSignOnOptions } from './security/single-sign-on.ts';

export interface DashboardOptions {
  /** Absent: no password is asked for, and `host` is loopback. */
  credentials?: Credentials;
  /** The password was generated at start and has to be printed once. */
  generated: boolean;
  /** Address to bind; absent for all interfaces. */
  host?: string;
  /** `DASHBOARD_HOST` asks for more than loopback, which is not granted without a password. */
  confined: boolean;
  /** Names that the dashboard is reached by, beside loopback and its own. */
  allowedHosts: string[];
  /** Addresses and CIDRs of proxies whose headers on client and TLS are trusted. */
  trustedProxies: string[];
  /** Sign-in at an identity provider. */
  singleSignOn?: SingleSignOnOptions;
  /** `/metrics` asks for it as a bearer token. */
  metricsToken?: string;
  /** Admins write mappings into the folder of the configuration. */
  writesMappings: boolean;
}

/**
 * Reads `DASHBOARD_USER` (default `admin`), `DASHBOARD_PASSWORD`, `DASHBOARD_HOST`, `DASHBOARD_ALLOWED_HOSTS`,
 * `DASHBOARD_TRUSTED_PROXY`, `DASHBOARD_WRITES_MAPPINGS` and `METRICS_TOKEN`; password and token may come from a file. Without a password, a container makes one up, since it must
 * listen on all interfaces, and a bare machine binds to loopback.
 * @param hasUsers there are logins in the users' file: no password is made up, and other addresses may be listened on
 * @throws Error, VariableError when a variable cannot be read or understood
 */
export function readOptions(env: NodeJS.ProcessEnv = process.env, hasUsers = false): DashboardOptions {
  const singleSignOn = readSingleSignOn((name) => readVariable(name, env) || undefined);
  const hasLogins = hasUsers || singleSignOn !== undefined;
  const given = readVariable('DASHBOARD_PASSWORD', env) || undefined;
  const user = env.DASHBOARD_USER || 'admin';
  if (user.includes(':')) throw new Error('DASHBOARD_USER holds a colon, which HTTP Basic cannot carry: leave it out');
  const inContainer = env.WRAPUP_CONTAINER === '1';
  const password = given ?? (inContainer && !hasLogins ? randomBytes(15).toString('base64url') : undefined);
  const wanted = listenHost('dashboard', env);
  const confined = password === undefined && !hasLogins && wanted !== undefined && !isLoopback(wanted);
  const host = confined ? '127.0.0.1' : wanted;
  const metricsToken = readVariable('METRICS_TOKEN', env) || undefined;
  return {
    ...(password !== undefined ? { credentials: { user, password } } : {}),
    generated: given === undefined && password !== undefined,
    ...(host !== undefined ? { host } : {}),
    confined,
    allowedHosts: readHosts(env.DASHBOARD_ALLOWED_HOSTS ?? ''),
    trustedProxies: readTrustedProxies('DASHBOARD_TRUSTED_PROXY', env.DASHBOARD_TRUSTED_PROXY ?? ''),
    ...(singleSignOn ? { singleSignOn } : {}),
    ...(metricsToken !== undefined ? { metricsToken } : {}),
    writesMappings: readSwitch('DASHBOARD_WRITES_MAPPINGS', env),
  };
}

function readSwitch(name: string, env: NodeJS.ProcessEnv): boolean {
  const text = env[name] || 'false';
  if (text === 'true' || text === 'false') return text === 'true';
  throw new Error(`${name} is neither true nor false: ${text.slice(0, 40)}`);
}

/** Entries of a comma-separated list. */
function readList(list: string): string[] {
  return list
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter(Boolean);
}

function readHosts(list: string): string[] {
  return readList(list).map((name) => {
    const bare = name.replace(/^\[|\]$/g, '');
    if (isIP(bare)) return bare;
    const host = name.replace(/:\d+$/, '');
    if (/^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(host)) return host;
    throw new Error(
      `DASHBOARD_ALLOWED_HOSTS holds "${name}", which is no host name: give names such as wrapup.example.com, separated by commas`,
    );
  });
}
