/** The processes that listen, and the ports they take when nothing else is said. */
export const DEFAULT_PORTS = { ingress: 8080, dashboard: 8081, worker: 8082, sandbox: 8090 } as const;
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
  const variable = `${role.toUpperCase()}_PORT`;
  const given = env[variable];
  if (!given) return DEFAULT_PORTS[role];
  const port = Number(given);
  if (!/^\d+$/.test(given) || port > 65_535) {
    throw new Error(`${variable} is "${given}", which is no port: give 0 to 65535, where 0 takes any free one`);
  }
  return port;
}
