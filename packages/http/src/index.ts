/** Any HTTP endpoint as a destination. Importing this does not load axios: `connect` does. */
import type { DestinationKind } from '@wrapup/destination';
import { httpDialect } from './dialect.ts';
import { type HttpSettings, httpSettings } from './endpoint/settings.ts';

export const httpKind: DestinationKind<HttpSettings> = {
  kind: 'http',
  dialect: httpDialect,
  settings: httpSettings,
  secrets: ['url', 'headers', 'secret'],
  notifies: true,
  async connect(connection, settings) {
    const { openHttp } = await import('./destination.ts');
    return openHttp(connection, settings);
  },
};

export { httpDialect } from './dialect.ts';
export { type HttpSettings, httpSettings } from './endpoint/settings.ts';
