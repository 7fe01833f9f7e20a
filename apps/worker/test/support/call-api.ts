/** A store beside a Synthflow that has calls, for tests of what is read from its API. */
import type { Config } from '@wrapup/config';
import type { CallJob, LedgerEntry } from '@wrapup/queue';
import { startSandbox, type VoiceCall } from '@wrapup/sandbox';
import { openCallStore } from './call-store.ts';

const HOUR_MS = 60 * 60_000;
const API_KEY = 'right-key';

export type CallApi = Awaited<ReturnType<typeof openCallApi>>;

export async function openCallApi() {
  const callStore = await openCallStore();
  const sandbox = await startSandbox({ settings: { synthflow: { api_key: API_KEY, region: 'us' } } });
  await sandbox.control.demo({ calls: 30, past: HOUR_MS });
  return {
    callStore,
    sandbox,
    /** A call that a person answered and gave a budget in. */
    answered: sandbox.control.calls().find(({ collected }) => 'budget' in collected) as VoiceCall,
    /** What a source needs to ask this Synthflow. */
    access: { api_key: API_KEY, region: 'us', base_url: `${sandbox.synthflowUrl}/us` } satisfies Partial<
      Config['sources'][string]
    >,
    async ledger({ source, call_id }: CallJob): Promise<LedgerEntry> {
      const entry = await callStore.store.ledger.read(source, call_id);
      if (!entry) throw new Error('no entry');
      return entry;
    },
    async close(): Promise<void> {
      await callStore.close();
      await sandbox.close();
    },
  };
}
