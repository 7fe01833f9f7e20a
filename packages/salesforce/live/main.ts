/**
 * `npm run live:salesforce`: the adapter against a real developer org. Skipped without SALESFORCE_LIVE_CLIENT_ID.
 *
 *   SALESFORCE_LIVE_LOGIN_URL      https://<my domain>.my.salesforce.com of a free Developer Edition org
 *   SALESFORCE_LIVE_CLIENT_ID      consumer key of an external client app with the client credentials flow
 *   SALESFORCE_LIVE_CLIENT_SECRET  its secret, or SALESFORCE_LIVE_CLIENT_SECRET_FILE
 *   SALESFORCE_LIVE_RECORD       file for what it answered, without tokens and what belongs to people
 *   SALESFORCE_LIVE_ANY_ORG        1: also where the org is neither a Developer Edition nor a sandbox
 *   SALESFORCE_LIVE_DEPLOY         1: deploys the fields that Wrapup needs where they are missing
 */
import { readFileSync } from 'node:fs';
import { tryLive } from '@wrapup/destination/live';
import { describeAnswers } from '@wrapup/sandbox';
import { runLive } from './run.ts';

const { env } = process;
const secret = (
  env.SALESFORCE_LIVE_CLIENT_SECRET_FILE
    ? readFileSync(env.SALESFORCE_LIVE_CLIENT_SECRET_FILE, 'utf8')
    : env.SALESFORCE_LIVE_CLIENT_SECRET
)?.trim();
if (!env.SALESFORCE_LIVE_CLIENT_ID || !secret || !env.SALESFORCE_LIVE_LOGIN_URL) {
  console.log(
    'Skipped: SALESFORCE_LIVE_CLIENT_ID, SALESFORCE_LIVE_CLIENT_SECRET and SALESFORCE_LIVE_LOGIN_URL are not all set. Sign up for a free Developer Edition org, make an external client app with the client credentials flow (docs/guide/salesforce.md), and run it again with them.',
  );
} else {
  const { SALESFORCE_LIVE_LOGIN_URL: login_url, SALESFORCE_LIVE_CLIENT_ID: client_id } = env;
  await tryLive(
    { kind: 'salesforce', account: 'Org', file: env.SALESFORCE_LIVE_RECORD },
    (observer) =>
      runLive({
        connection: { login_url, client_id, client_secret: secret },
        any_org: env.SALESFORCE_LIVE_ANY_ORG === '1',
        deploy: env.SALESFORCE_LIVE_DEPLOY === '1',
        ...observer,
      }),
    describeAnswers,
  );
}
