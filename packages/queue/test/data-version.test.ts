import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { redisUrl } from '../../../test/support/redis.ts';
import { newArrival, openTestStore } from '../../../test/support/store.ts';
import {
  checkDataVersion,
  checkInstallation,
  DATA_VERSIONS,
  type DataSupport,
  raiseDataNeeds,
  raiseDataOldest,
  type Store,
} from '../src/index.ts';

const open = async (): Promise<Store> => {
  const store = await openTestStore();
  onTestFinished(() => store.close());
  return store;
};
const noted = (store: Store) =>
  store.redis.hmget(store.keys.installation, 'data_oldest', 'data_needs', 'data_needs_release');

const BEFORE: DataSupport = { release: '7.1.0', version: 7, reads: 6, needs: 6 };
/** Reads what the one before writes, and begins by writing nothing that it would misread. */
const NEXT: DataSupport = { release: '7.2.0', version: 8, reads: 7, needs: 7 };

it('an empty Redis is of the version of the release that comes first', async () => {
  const store = await open();
  await checkDataVersion(store, BEFORE);
  expect(await noted(store)).toEqual(['7', '7', '7.1.0']);
});

it('calls without a note are of version 1, which this release reads', async () => {
  const store = await open();
  await store.accept(newArrival(), 90);
  expect(await checkInstallation(store)).toMatchObject({ oldest: 1, needs: 1 });
  await expect(checkDataVersion(store, NEXT)).rejects.toThrow(/is of version 1 in part/);
});

it('is looked at without a write, once it is noted', async () => {
  const store = await open();
  await checkInstallation(store);
  const watching = new Redis(redisUrl());
  onTestFinished(async () => watching.disconnect());
  await watching.watch(store.keys.installation);
  await checkInstallation(store);
  // Empty where anything was written to what is watched.
  expect(await watching.multi().ping().exec()).toEqual([[null, 'PONG']]);
});

describe('two releases', () => {
  it('run side by side, in any order, until the newer one writes what the older one would misread', async () => {
    const store = await open();
    for (const release of [BEFORE, NEXT, BEFORE, NEXT, BEFORE]) await checkDataVersion(store, release);
    expect(await noted(store)).toEqual(['7', '7', '7.1.0']);
    await raiseDataNeeds(store, 8);
    await checkDataVersion(store, NEXT);
    await expect(checkDataVersion(store, BEFORE)).rejects.toMatchObject({ name: 'InstallationError' });
    expect((await noted(store))[1]).toBe('8');
  });

  it('do not where the newer one writes so from its start on, and says at the older one which one it is', async () => {
    const store = await open();
    await checkDataVersion(store, BEFORE);
    await checkDataVersion(store, { ...NEXT, needs: 8 });
    await expect(checkDataVersion(store, BEFORE)).rejects.toMatchObject({
      message: expect.stringMatching(
        /^The data under \{t-[^}]+\} in Redis at 127\.0\.0\.1:\d+ needs a release that reads version 8, as 7\.2\.0 does\. This is release 7\.1\.0, which reads data of versions 6 to 7\.$/,
      ),
      hint: expect.stringMatching(/^Start release 7\.2\.0 or a later one again\..* docs\/upgrading\.md/),
    });
  });

  it('that skip one: what is older than the newest reads is refused until the one between has taken it over', async () => {
    const store = await open();
    await checkDataVersion(store, { ...BEFORE, version: 6, reads: 5, needs: 6, release: '6.4.0' });
    const refused = checkDataVersion(store, NEXT);
    await expect(refused).rejects.toMatchObject({
      message: expect.stringContaining(
        'is of version 6 in part. This is release 7.2.0, which reads data of versions 7 to 8.',
      ),
      hint: expect.stringMatching(/^Run release .* first, until `wrapup doctor` says that the data is of version 7/),
    });
    // Nothing was noted by the one that was refused.
    expect(await noted(store)).toEqual(['6', '6', '6.4.0']);
    await checkDataVersion(store, BEFORE);
    await raiseDataOldest(store, 7);
    await checkDataVersion(store, NEXT);
  });
});

it('what is no number is refused, and changed by no release', async () => {
  const store = await open();
  await store.redis.hset(store.keys.installation, 'data_oldest', 'two');
  await expect(checkDataVersion(store)).rejects.toThrow(/has a version that is no number/);
  await raiseDataOldest(store, 9);
  expect((await noted(store))[0]).toBe('two');
});

it('numbers are only ever raised', async () => {
  const store = await open();
  await checkDataVersion(store, BEFORE);
  await Promise.all([raiseDataNeeds(store, 3), raiseDataOldest(store, 3)]);
  expect(await noted(store)).toEqual(['7', '7', '7.1.0']);
});

it('every version is in docs/upgrading.md, with the release that brought it', () => {
  const page = readFileSync(join(resolve(import.meta.dirname, '../../..'), 'docs/upgrading.md'), 'utf8');
  for (const { version, release, brought } of DATA_VERSIONS)
    expect(page).toContain(`| ${version} | ${release} | ${brought} |`);
});
