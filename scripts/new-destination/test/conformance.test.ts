import { describeDestination } from '@wrapup/destination/conformance';
import { acmeHarness } from './acme-harness.ts';

describeDestination('Acme', acmeHarness);
