/**
 * Users of the Redis that docker-compose.yml brings: one for each service, with the keys of this installation and the
 * commands that the service has a use for, and none that has all. https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
 *
 * Written so that Redis 6.2 reads it too: whole commands and categories are taken away, subcommands only added.
 */
import { createHash, randomBytes } from 'node:crypto';

/** What BullMQ, ioredis and the queue package need. What harms others (KEYS, FLUSHALL, SHUTDOWN, …) is @dangerous. */
const BASE = [
  '-@all',
  ...['+@read', '+@write', '+@connection', '+@transaction', '-@dangerous'],
  ...['+eval', '+evalsha', '+script|load', '+script|exists', '+time'],
  // What Redis 6.2 counts as dangerous as a whole; later ones know the harmless rest of CLIENT by its category.
  ...['+client|id', '+client|setname', '+client|getname'],
  // Health and doctor: memory, role, and whether what was acknowledged is on the disk.
  ...['+info', '+config|get'],
].join(' ');
/** Looking through the names of keys. Ingress, which strangers reach, cannot. */
const NO_SCAN = '-scan -randomkey -dbsize -dump';

/** Commands by service. */
const ROLES = {
  ingress: `${BASE} ${NO_SCAN}`,
  worker: BASE,
  dashboard: BASE,
  // `forget` has the append-only file written anew.
  cli: `${BASE} +bgrewriteaof`,
};

/**
 * Of a client that has not said who it is: kept out by a password that no one has. The user must be on and may do
 * everything, as Redis 7.0 reads its append-only file in this name, and drops each transaction that it may not do.
 */
const DEFAULT = 'resetchannels allkeys +@all';

/** Services that have a user. */
export const REDIS_ROLES = Object.keys(ROLES);
/** Of the health check; may ask whether Redis answers, and nothing else. */
export const HEALTH = 'health';

/**
 * The content of an ACL file. Holds hashes of the passwords, not the passwords.
 *
 * @param {{prefix: string, passwords: Record<string, string>}} options `prefix` is WRAPUP_PREFIX; a password for each
 * of the roles and for `health`
 */
export function redisUsers({ prefix, passwords }) {
  const line = (user, rules) => `user ${user} on #${sha256(passwords[user])} resetchannels resetkeys ${rules}`;
  return [
    `user default on #${sha256(randomBytes(32))} ${DEFAULT}`,
    ...Object.entries(ROLES).map(([role, rules]) => line(role, `~{${prefix}}* ${rules}`)),
    line(HEALTH, '-@all +ping'),
    '',
  ].join('\n');
}

/** Changes with the rules. Stands in docker-compose.yml, so that a running Redis is restarted with new ones. */
export function rulesVersion() {
  return sha256(JSON.stringify([DEFAULT, ROLES])).slice(0, 8);
}

function sha256(text) {
  return createHash('sha256').update(text).digest('hex');
}
