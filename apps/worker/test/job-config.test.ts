import { expect, it } from 'vitest';
import { configForJob } from '../src/bullmq/job-config.ts';
import { configWith } from './support/call-store.ts';

const configOf = (hash: string) => ({ ...configWith(), hash });
const OLD = configOf('old');
const NEW = configOf('new');
const never = () => Promise.reject(new Error('the files were looked at'));

it('a job that is no replay, or whose configuration is in force, goes on without a look at the files', async () => {
  expect(await configForJob({}, OLD, never)).toEqual({ config: OLD });
  expect(await configForJob({ config: 'old' }, OLD, never)).toEqual({ config: OLD });
});

it('a changed configuration is taken over before the job goes on', async () => {
  expect(await configForJob({ config: 'new' }, OLD, async () => NEW)).toEqual({ config: NEW });
});

it('a replay whose configuration is not here goes by the one that is, and notes it', async () => {
  const { config, note } = await configForJob({ config: 'new' }, OLD, async () => OLD);
  expect(config).toBe(OLD);
  expect(note).toMatch(/with configuration old: the worker did not have new/);
});
