import { describeDestination } from '@wrapup/destination/conformance';
import { salesforceHarness } from './salesforce-harness.ts';

describeDestination('Salesforce', salesforceHarness);
