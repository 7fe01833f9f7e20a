/** The sandbox held against what the vendors were recorded to answer. Skipped where WRAPUP_RECORDINGS names no folder. */
import { readFileSync } from 'node:fs';
import { type RunningSandbox, startSandbox } from '@wrapup/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { differences } from './facts.ts';
import { playHubSpot } from './play-hubspot.ts';
import { playSalesforce } from './play-salesforce.ts';
import { byClass, RECORDINGS_FOLDER, type RecordedAnswer, type Recording, readRecordings } from './recordings.ts';
import { type KnownObjects, knownObjects } from './replay-org.ts';

interface Explained {
  classes: string;
  says: string;
  reason: string;
  source: string;
}

const EXPLAINED = parse(readFileSync(new URL('differences.yaml', import.meta.url), 'utf8')) as Explained[];

describe.skipIf(RECORDINGS_FOLDER === undefined)('recorded answers', () => {
  let sandbox: RunningSandbox;
  let known: KnownObjects;
  const used = new Set<Explained>();
  const counts = { same: 0, explained: 0, different: 0 };
  beforeAll(async () => {
    sandbox = await startSandbox();
    known = await knownObjects(sandbox);
  });
  afterAll(() => sandbox.close());

  const play = async (recording: Recording): Promise<RecordedAnswer> => {
    const { vendor, note, response } = recording;
    const answer =
      vendor === 'hubspot' ? await playHubSpot(sandbox, recording) : await playSalesforce(sandbox, known, recording);
    // The proxy between the recorder and the vendor answered every success so.
    const isRewritten = note?.includes('201 reads 200') && answer.status === 201;
    return isRewritten ? { ...answer, status: response.status } : answer;
  };

  const compare = async (recordings: Recording[]): Promise<string[]> => {
    const all = recordings.map(({ response }) => response);
    const said = new Set<string>();
    for (const recording of recordings) {
      const lines = await play(recording).then(
        (answer) => differences(recording.response, answer, all, recording.trust === 'recorded'),
        (thrown: unknown) => [`cannot be played: ${String(thrown)}`],
      );
      for (const line of lines) said.add(line);
    }
    return [...said];
  };

  const replayed = [...readRecordings('hubspot'), ...readRecordings('salesforce')];
  test.each([...byClass(replayed)])('%s', async (name, recordings) => {
    const said = await compare(recordings);
    const unexplained = said.filter((line) => {
      const found = EXPLAINED.filter(
        ({ classes, says }) => new RegExp(classes).test(name) && new RegExp(says).test(line),
      );
      for (const one of found) used.add(one);
      return found.length === 0;
    });
    counts[unexplained.length > 0 ? 'different' : said.length > 0 ? 'explained' : 'same'] += 1;
    expect(unexplained).toEqual([]);
  });

  test('every listed difference is one', () => {
    console.log(
      `recorded answers: ${counts.same} classes the same, ${counts.explained} explained, ${counts.different} different`,
    );
    expect(EXPLAINED.filter((one) => !used.has(one)).map(({ classes, says }) => `${classes}: ${says}`)).toEqual([]);
  });
});

test('every difference has a reason and a source', () => {
  for (const one of EXPLAINED)
    expect(one).toEqual({
      classes: expect.any(String),
      says: expect.any(String),
      reason: expect.stringMatching(/\.$/),
      source: expect.stringMatching(/^(recorded \d{4}|documented https:|packages\/)/),
    });
});
