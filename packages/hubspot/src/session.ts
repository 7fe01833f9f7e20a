import { type Answer, Session as Shared } from '@wrapup/destination/http';
import type { ApiCall } from './client/api.ts';

/** The requests of one call of the destination to HubSpot. */
export class Session extends Shared<ApiCall, Answer> {}
