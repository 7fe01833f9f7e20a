import { type Answer, Session as Shared } from '@wrapup/destination/http';
import type { HubSpotApiCall } from './client/api.ts';

/** The requests of one call of the destination to HubSpot. */
export class HubSpotSession extends Shared<HubSpotApiCall, Answer> {}
