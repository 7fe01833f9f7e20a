import type { DestinationKind } from '@wrapup/destination';
import { httpKind } from '@wrapup/http';
import { hubspotKind } from '@wrapup/hubspot';
import { salesforceKind } from '@wrapup/salesforce';

/** The kinds of destination that this version has. A new CRM is one package and one line here. */
export const KINDS: Record<string, DestinationKind> = {
  hubspot: hubspotKind as DestinationKind,
  salesforce: salesforceKind as DestinationKind,
  http: httpKind as DestinationKind,
};
