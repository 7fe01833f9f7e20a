/** Acme as a destination. Importing this does not load its client: `connect` does. */
import type { DestinationKind } from '@wrapup/destination';
import { type AcmeSettings, acmeSettings } from './client/settings.ts';
import { acmeDialect } from './dialect.ts';

export const acmeKind: DestinationKind<AcmeSettings> = {
  kind: 'acme',
  dialect: acmeDialect,
  settings: acmeSettings,
  secrets: ['token'],
  async remembers(subject) {
    const { personMemories, writtenMemories } = await import('@wrapup/destination/engine');
    return [...personMemories(subject), ...writtenMemories(subject)];
  },
  async connect(connection, settings) {
    const { openAcme } = await import('./destination.ts');
    return openAcme(connection, settings);
  },
};
