/** Mutants that change nothing a test could notice, one by one, with the reason. Those of a line that has changed are judged anew. */
import { JUDGED_CALL } from './judged-call.ts';
import { JUDGED_DESTINATION } from './judged-destination.ts';
import { JUDGED_MAPPING } from './judged-mapping.ts';
import { JUDGED_SYNTHFLOW } from './judged-synthflow.ts';
import type { Judged } from './scopes.ts';

export const JUDGED: readonly Judged[] = [
  ...JUDGED_CALL,
  ...JUDGED_DESTINATION,
  ...JUDGED_MAPPING,
  ...JUDGED_SYNTHFLOW,
];
