/** Whether the account lets this connection write transcripts, found out by asking for one that does not exist. */
import type { CompiledMapping, Finding } from '@wrapup/mapping';
import { asHubSpotFailure } from './errors.ts';
import type { Session } from './session.ts';
import type { HubSpotSettings } from './settings.ts';
import { READ_SCOPE, readTranscript, WRITE_SCOPE } from './transcript-api.ts';

/** Nobody's id. */
const NONE = '0';

/** @throws the failure of an account that cannot be asked */
export async function checkTranscripts(
  session: Session,
  settings: HubSpotSettings,
  mappings: CompiledMapping[],
): Promise<Finding[]> {
  const at = mappings.flatMap(({ records }) => records.flatMap(({ transcript }) => transcript?.at ?? []))[0];
  if (!at) return [];
  const isApp = settings.access_token === undefined;
  try {
    await session.send(readTranscript(settings.api_version, NONE));
  } catch (thrown) {
    const { code, next, details } = asHubSpotFailure(thrown);
    if (code === 'missing_scope')
      return [
        {
          severity: 'error',
          code: 'missing-scope',
          message: isApp
            ? `The app may not write transcripts: its token lacks ${WRITE_SCOPE} or ${READ_SCOPE}.`
            : `Transcripts need an OAuth app with the scopes ${WRITE_SCOPE} and ${READ_SCOPE}; this connection has a service key.`,
          hint: isApp
            ? 'Add both scopes to the app, install it again in the account, and put its new refresh_token into the connection.'
            : 'Connect an app (client_id, client_secret, refresh_token), or take `transcript` off the call log: `body: { transcript: full }` writes the words into the call itself.',
          at,
        },
      ];
    // That nobody has that id is the answer hoped for.
    if (details.status !== 404 && next !== 'park') throw thrown;
  }
  return isApp ? [] : [UNPROMISED(at)];
}

const UNPROMISED = (at: NonNullable<Finding['at']>): Finding => ({
  severity: 'warning',
  code: 'transcripts-without-app',
  message:
    'HubSpot promises transcripts to OAuth apps only; this connection has a service key, which it lets read them.',
  hint: 'Should it refuse to write them, each call’s receipt says so; connect an OAuth app then.',
  at,
});
