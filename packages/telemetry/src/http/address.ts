/** The processes that listen, and the ports they take when nothing else is said. */
const DEFAULT_PORTS = { ingress: 8080, dashboard: 8081, worker: 8082, sandbox: 8090 } as const;
export type Role = keyof typeof DEFAULT_PORTS;

/**
 * The address to bind: `<ROLE>_HOST` when set; all interfaces (undefined) for ingress, which is there to be called from
 * outside, and inside a container (`WRAPUP_CONTAINER=1`, set by the image), where the engine decides what is published;
 * loopback otherwise.
 */
export function listenHost(role: Role, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const given = env[`${role.toUpperCase()}_HOST`];
  if (given) return given;
  return role === 'ingress' || env.WRAPUP_CONTAINER === '1' ? undefined : '127.0.0.1';
}

/** The port from `<ROLE>_PORT`, or the usual one. 0 means any free one. @throws Error when it is no port */
export function listenPort(role: Role, env: NodeJS.ProcessEnv = process.env): number {
  return readPort(`${role.toUpperCase()}_PORT`, env) ?? DEFAULT_PORTS[role];
}

/**
 * Where ingress answers `/readyz` and `/metrics` instead of on its public port: `INGRESS_INTERNAL_PORT`, on
 * `INGRESS_INTERNAL_HOST`, else on loopback, or in a container on all interfaces.
 * @returns undefined when they stay on the public port
 * @throws Error when it is no port
 */
export function internalAddress(
  env: NodeJS.ProcessEnv = process.env,
): { port: number; host: string | undefined } | undefined {
  const port = readPort('INGRESS_INTERNAL_PORT', env);
  if (port === undefined) return undefined;
  const host = env.INGRESS_INTERNAL_HOST || (env.WRAPUP_CONTAINER === '1' ? undefined : '127.0.0.1');
  return { port, host };
}

function readPort(variable: string, env: NodeJS.ProcessEnv): number | undefined {
  const given = env[variable];
  if (!given) return undefined;
  const port = Number(given);
  if (!/^\d+$/.test(given) || port > 65_535) {
    throw new Error(`${variable} is "${given}", which is no port: give 0 to 65535, where 0 takes any free one`);
  }
  return port;
}
