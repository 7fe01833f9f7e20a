/**
 * The `init` service of docker-compose.yml: makes the secrets of the installation once, keeps them in a volume, and lays
 * into the volume of each service the ones that it needs and no others. A service's volume is written anew each time.
 */
import { chownSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { HEALTH, REDIS_ROLES, redisUsers } from './redis-users.mjs';
import { keepSecret, makePrivateFolder, missingSecrets, replacePrivate } from './secrets.mjs';

const ROOT = process.env.WRAPUP_SECRETS_ROOT || '/secrets';
/** Of the user `node` of the image, and of `redis` as docker-compose.yml runs it. */
const OWNERS = { node: 1000, redis: 999 };
const STORE = ['WRAPUP_ENCRYPTION_KEY', 'WRAPUP_INDEX_KEY'];
const DOOR = ['SYNTHFLOW_WEBHOOK_SECRET', 'WEBHOOK_PATH_TOKEN'];
/** What each service reads of them, besides its address of Redis. */
const NEEDS = {
  ingress: [...STORE, ...DOOR],
  worker: STORE,
  dashboard: [...STORE, 'DASHBOARD_PASSWORD'],
  cli: [...STORE, ...DOOR],
};

const kept = join(ROOT, 'installation');
const made = missingSecrets((name) => Boolean(process.env[name] || process.env[`${name}_FILE`]));
const secrets = Object.fromEntries(made.map((name) => [name, keepSecret(kept, name)]));
const passwords = Object.fromEntries(
  [...REDIS_ROLES, HEALTH].map((role) => [role, keepSecret(kept, `REDIS_PASSWORD_${role.toUpperCase()}`)]),
);

for (const [service, names] of Object.entries(NEEDS)) {
  const own = Object.fromEntries(names.filter((name) => secrets[name]).map((name) => [name, secrets[name]]));
  lay(service, OWNERS.node, { ...own, REDIS_URL: `redis://${service}:${passwords[service]}@redis:6379` });
}
const prefix = process.env.WRAPUP_PREFIX || 'wrapup';
lay('redis', OWNERS.redis, { 'users.acl': redisUsers({ prefix, passwords }), health: passwords[HEALTH] });

const token = made.includes('WEBHOOK_PATH_TOKEN');
console.log(
  [
    'The secrets of this installation are kept in its volume "secrets", which belongs into the backup. To see them:',
    ...(made.includes('DASHBOARD_PASSWORD')
      ? [
          '  docker compose exec dashboard cat /secrets/DASHBOARD_PASSWORD             password of the dashboard (user admin)',
        ]
      : []),
    ...(token
      ? [
          '  docker compose exec ingress cat /secrets/WEBHOOK_PATH_TOKEN               the token in /webhooks/main/<token>/post-call',
        ]
      : []),
    ...(made.includes('SYNTHFLOW_WEBHOOK_SECRET')
      ? [
          '  docker compose exec ingress cat /secrets/SYNTHFLOW_WEBHOOK_SECRET         signs webhooks, until .env has Synthflow’s own',
        ]
      : []),
    ...(token ? [] : ['WEBHOOK_PATH_TOKEN is not set: the address of the webhook is /webhooks/main/post-call.']),
  ].join('\n'),
);

/** Makes a service's folder hold these files and no others, for the service's own user. */
function lay(service, owner, files) {
  const folder = join(ROOT, service);
  makePrivateFolder(folder);
  for (const name of readdirSync(folder)) if (!(name in files)) rmSync(join(folder, name), { recursive: true });
  for (const [name, text] of Object.entries(files)) replacePrivate(join(folder, name), text, owner);
  chownSync(folder, owner, owner);
}
