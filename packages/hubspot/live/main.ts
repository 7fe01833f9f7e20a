/**
 * `npm run live:hubspot`: the adapter against a real test account. Skipped without HUBSPOT_LIVE_TOKEN (or _FILE).
 *
 *   HUBSPOT_LIVE_TOKEN        service key of a developer test account, or an access token of an OAuth app
 *   HUBSPOT_LIVE_BASE_URL     default https://api.hubapi.com
 *   HUBSPOT_LIVE_VERSION      default 2026-09
 *   HUBSPOT_LIVE_RECORD       file for what it answered, without tokens and what belongs to people
 *   HUBSPOT_LIVE_ANY_ACCOUNT  1: also where the account is no test account
 */
import { readFileSync } from 'node:fs';
import { tryLive } from '@wrapup/destination/live';
import { describeAnswers } from '@wrapup/sandbox';
import { runLive } from './run.ts';

const { env } = process;
const token = (
  env.HUBSPOT_LIVE_TOKEN_FILE ? readFileSync(env.HUBSPOT_LIVE_TOKEN_FILE, 'utf8') : env.HUBSPOT_LIVE_TOKEN
)?.trim();
if (!token) {
  console.log(
    'Skipped: HUBSPOT_LIVE_TOKEN is not set. Make a free developer test account, give it a service key with read and write of contacts (crm.objects.contacts.*, crm.schemas.contacts.*, crm.objects.owners.read), and run `HUBSPOT_LIVE_TOKEN=pat-… npm run live:hubspot`.',
  );
} else {
  await tryLive(
    { kind: 'hubspot', account: 'Account', file: env.HUBSPOT_LIVE_RECORD },
    (observer) =>
      runLive({
        token,
        base_url: (env.HUBSPOT_LIVE_BASE_URL ?? 'https://api.hubapi.com').replace(/\/+$/, ''),
        version: env.HUBSPOT_LIVE_VERSION ?? '2026-09',
        any_account: env.HUBSPOT_LIVE_ANY_ACCOUNT === '1',
        ...observer,
      }),
    describeAnswers,
  );
}
