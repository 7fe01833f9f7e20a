/**
 * Whether this release reads what stands in Redis, and whether the releases beside it read what this one writes.
 *
 * The form of the data has a number, the data version. It grows with each change that an earlier release would misread. Data
 * of several versions stands side by side until it is taken over or its retention ends, so that two numbers are kept, in the
 * hash `installation`:
 *
 *   data_oldest          the oldest version that may be there. A release that no longer reads it does not start
 *   data_needs           a release of an earlier version would misread what is there, and does not start
 *   data_needs_release   the release that raised it, for the message
 *
 * While releases are replaced both run on one Redis, so that a release begins what the one before it would misread only once
 * that one is gone (`packed/pack-settled.ts`), and raises `data_needs` then. Until that moment one may go back to it.
 */
import manifest from '../../package.json' with { type: 'json' };
import { defineScript, type RedisClient } from './client.ts';
import type { Keys } from './keys.ts';

/** A data version, the release that brought it, and what a release of the version before it would misread. */
export const DATA_VERSIONS = [
  { version: 1, release: '0.1.0', brought: 'Everything up to 0.1.0, which notes no version.' },
  {
    version: 2,
    release: '0.2.0',
    brought: 'Ledger entries of calls that have come to their end are packed; 0.1 takes such a call for a new one.',
  },
] as const;

/** What a release reads and writes. */
export interface DataSupport {
  /** As people call it. */
  release: string;
  /** Data version that it writes. */
  version: number;
  /** The oldest data version that it reads. */
  reads: number;
  /** The lowest data version of a release that reads all that this one writes from its start on. */
  needs: number;
}

const THIS_RELEASE: DataSupport = { release: manifest.version, version: 2, reads: 1, needs: 1 };

/** What Redis says of its data; a version is NaN where something else stands there. */
export interface DataVersion {
  oldest: number;
  needs: number;
  /** The release that raised `needs`. */
  needs_release: string;
}

type Parts = { redis: RedisClient; keys: Keys };

/** What this process was given, or which release it is, does not fit to what Redis holds. No retry helps. */
export class InstallationError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.name = 'InstallationError';
    this.hint = hint;
  }
}

/**
 * Reads what is noted and, where this release reads the data, notes what is missing: in an empty Redis its own version is the
 * oldest; calls without a note are of version 1. It is asked for by every probe of readiness, so that nothing is written again.
 * KEYS installation, ledger index, packed ledger. ARGV version, reads, needs, release.
 */
const meet = defineScript<[string, string, string | null]>(
  'wrapupDataVersion',
  `
local noted = redis.call('HMGET', KEYS[1], 'data_oldest', 'data_needs', 'data_needs_release')
local oldest, needs, release = noted[1], noted[2], noted[3]
if not oldest then
  oldest = ARGV[1]
  if redis.call('EXISTS', KEYS[2], KEYS[3]) > 0 then oldest = '1' end
end
if not needs then needs, release = oldest, ARGV[4] end
local from, to = tonumber(oldest), tonumber(needs)
if from and to and from >= tonumber(ARGV[2]) and to <= tonumber(ARGV[1]) then
  if to < tonumber(ARGV[3]) then needs, release = ARGV[3], ARGV[4] end
  release = release or ARGV[4]
  if oldest ~= noted[1] or needs ~= noted[2] or release ~= noted[3] then
    redis.call('HSET', KEYS[1], 'data_oldest', oldest, 'data_needs', needs, 'data_needs_release', release)
  end
end
return { oldest, needs, release }
`,
);

/** KEYS installation. ARGV field, version, release: only ever raised. */
const raise = defineScript<void>(
  'wrapupRaiseDataVersion',
  `
local noted = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
if not noted or noted >= tonumber(ARGV[2]) then return end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if ARGV[1] == 'data_needs' then redis.call('HSET', KEYS[1], 'data_needs_release', ARGV[3]) end
`,
);

/**
 * Whether this release reads the data of this installation.
 * @param support of another release, for tests
 * @throws InstallationError where it does not: the data is newer or older than this release reads; what Redis answers when it
 * does not answer
 */
export async function checkDataVersion(
  { redis, keys }: Parts,
  support: DataSupport = THIS_RELEASE,
): Promise<DataVersion> {
  const { version, reads, needs, release } = support;
  const [oldest, needed, by] = await meet(
    redis,
    [keys.installation, keys.index, keys.packed],
    [version, reads, needs, release],
  );
  const found = { oldest: toVersion(oldest), needs: toVersion(needed), needs_release: by ?? 'unknown' };
  if (!(found.oldest >= reads && found.needs <= version)) throw misfit(found, support, placeOf(redis, keys));
  return found;
}

/** From now on a release that reads no data of `version` would misread what is there. */
export async function raiseDataNeeds({ redis, keys }: Parts, version: number): Promise<void> {
  await raise(redis, [keys.installation], ['data_needs', version, THIS_RELEASE.release]);
}

/** From now on nothing is there that a release which only reads data from `version` on would misread. */
export async function raiseDataOldest({ redis, keys }: Parts, version: number): Promise<void> {
  await raise(redis, [keys.installation], ['data_oldest', version, THIS_RELEASE.release]);
}

function toVersion(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

/** Which Redis, and whose keys in it. */
function placeOf(redis: RedisClient, { prefix }: Keys): string {
  const { host, port } = redis.options as { host?: string; port?: number };
  return host === undefined ? `under ${prefix}` : `under ${prefix} in Redis at ${host}:${port}`;
}

function misfit({ oldest, needs, needs_release }: DataVersion, own: DataSupport, place: string): InstallationError {
  const range = own.reads === own.version ? `version ${own.version}` : `versions ${own.reads} to ${own.version}`;
  const reads = `This is release ${own.release}, which reads data of ${range}.`;
  if (needs > own.version) {
    return new InstallationError(
      `The data ${place} needs a release that reads version ${needs}, as ${needs_release} does. ${reads}`,
      `Start release ${needs_release} or a later one again. To stay on ${own.release}, restore the copy of Redis from before the upgrade and run \`wrapup reconcile\`: docs/upgrading.md, "Back to the release before".`,
    );
  }
  if (oldest < own.reads) {
    const between = DATA_VERSIONS.find(({ version }) => version === own.reads)?.release ?? 'the one before';
    return new InstallationError(
      `The data ${place} is of version ${oldest} in part. ${reads}`,
      `Run release ${between} first, until \`wrapup doctor\` says that the data is of version ${own.reads}, then this one: docs/upgrading.md, "Over several releases".`,
    );
  }
  return new InstallationError(
    `The data ${place} has a version that is no number. ${reads}`,
    `Something other than Wrapup has written to it. Look at data_oldest and data_needs with HGETALL of <prefix>:installation; a copy of Redis has what they were: docs/upgrading.md.`,
  );
}
