// PROVISIONAL until packages/hubspot exports hubspotKind: not to be committed.
import type { DestinationKind } from '@wrapup/destination';
import { z } from 'zod';

export const KINDS: Record<string, DestinationKind> = {
  hubspot: {
    kind: 'hubspot',
    dialect: { kind: 'hubspot', person: { create_as: ['contact'], object: 'contacts' }, records: {}, presets: {} },
    settings: z.strictObject({ access_token: z.string(), base_url: z.string().optional() }),
    secrets: ['access_token'],
    connect() {
      throw new Error('adapter not there yet');
    },
  },
};
