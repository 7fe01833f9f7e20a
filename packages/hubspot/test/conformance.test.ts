import { describeDestination } from '@wrapup/destination/conformance';
import { hubspotHarness } from './hubspot-harness.ts';

describeDestination('HubSpot', hubspotHarness);
