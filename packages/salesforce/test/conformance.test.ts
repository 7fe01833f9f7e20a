import { describeDestination } from '@wrapup/destination/conformance';
import { SALESFORCE_YEARS } from '@wrapup/sandbox';
import { harnessOf } from './salesforce-harness.ts';

for (const forms of SALESFORCE_YEARS) describeDestination(`Salesforce, forms of ${forms}`, harnessOf(forms));
describeDestination('Salesforce, people and records in one request', harnessOf(2026, { composite: true }));
