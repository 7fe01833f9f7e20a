import {
  type Destination,
  type MemoryCommons,
  type MemoryContextOptions,
  makeMemoryContext,
} from '@wrapup/destination';
import type { Plan } from '@wrapup/mapping';
import { onTestFinished } from 'vitest';
import type { Resolve } from '../../src/client/guarded-agent.ts';
import { openHttp } from '../../src/destination.ts';
import { httpSettings } from '../../src/index.ts';

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
export const OTHER_SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;

/** A connection to an endpoint on this machine, unless the settings say otherwise; closed with the test. */
export async function connect(settings: object, resolve?: Resolve): Promise<Destination> {
  const parsed = httpSettings.parse({ allow_private: true, timeout: 2_000, ...settings });
  const destination = await openHttp('alerts', parsed, resolve);
  onTestFinished(() => destination.close());
  return destination;
}

/** Writes one plan. */
export async function writeOne(
  destination: Destination,
  plan: Plan,
  commons?: MemoryCommons,
  options?: MemoryContextOptions,
) {
  const [outcome, ...more] = await destination.write([plan], makeMemoryContext(commons, options));
  if (!outcome || more.length > 0) throw new Error('not one outcome for one plan');
  return outcome;
}
