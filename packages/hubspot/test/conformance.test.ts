import { describeDestination } from '@wrapup/destination/conformance';
import { FORMS } from '@wrapup/sandbox';
import { harnessOf } from './hubspot-harness.ts';

for (const forms of FORMS) describeDestination(`HubSpot, forms of ${forms}`, harnessOf(forms));
