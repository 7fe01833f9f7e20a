/**
 * Which process reads the configuration, and what it can do without, so that none has to hold a secret that it never
 * uses. A variable that is not set is no mistake where the process spares it: the value is left out.
 *
 *   ingress              needs no API key of a source, and of the connections only those that inbound: looks callers up in
 *   worker, dashboard    need no webhook secret and no path token
 *   ingress, worker      need no password of the dashboard
 *   absent               commands that check, plan or send: need everything
 */
export type Reader = 'ingress' | 'worker' | 'dashboard';

/** Whether the process has a use for the secrets that guard the door. */
export function guardsDoor(reader: Reader | undefined): boolean {
  return reader === undefined || reader === 'ingress';
}

/** Whether the process asks the API of a source. */
export function asksSource(reader: Reader | undefined): boolean {
  return reader !== 'ingress';
}

/**
 * @param lookUps the connections that `inbound:` of any source names
 * @returns whether the value at a path may be left out when its variable is not set
 */
export function sparedBy(
  reader: Reader | undefined,
  lookUps: readonly string[],
): (path: readonly PropertyKey[]) => boolean {
  if (reader === undefined) return () => false;
  return ([section, name, key]) => {
    if (section === 'dashboard') return reader !== 'dashboard';
    if (reader === 'ingress') {
      if (section === 'connections') return !lookUps.includes(String(name));
      return section === 'sources' && key === 'api_key';
    }
    return section === 'sources' && (key === 'webhook_secrets' || key === 'path_token');
  };
}
