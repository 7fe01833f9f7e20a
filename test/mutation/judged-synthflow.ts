/** Mutants of what reads Synthflow's payloads that change nothing a test could notice. */
import type { Judged } from './scopes.ts';

const OUTCOME_FACTS = 'packages/synthflow/src/fields/outcome-facts.ts';
const SIGNATURE = 'packages/synthflow/src/signature.ts';

export const JUDGED_SYNTHFLOW: readonly Judged[] = [
  {
    file: OUTCOME_FACTS,
    line: "notes.add(errorFound?.path ?? '', 'holds the end reason: read as end_call_reason');",
    instead: ['errorFound.path'],
    why: 'An error that has a text was found.',
  },
  {
    file: OUTCOME_FACTS,
    line: "notes.add(reasonFound?.path ?? '', 'is an end reason that is not known: kept as end_reason_raw');",
    instead: ['reasonFound.path'],
    why: 'A text that is no known reason is the one that was found: an error is taken for it only where it is a known one.',
  },
  {
    file: 'packages/synthflow/src/parse/call-id-reader.ts',
    line: '} catch {',
    instead: ['{}'],
    why: 'A function that ends returns undefined as well.',
  },
  {
    file: SIGNATURE,
    line: 'if (name.length < SHORTEST_NAME || !(SIGNATURE_HEADERS as readonly string[]).includes(name.toLowerCase())) continue;',
    instead: ['false'],
    why: 'It only saves time: no shorter name is among those that are looked for.',
  },
  {
    file: SIGNATURE,
    line: 'if (known) return known;',
    instead: ['false'],
    why: 'It only saves time: the key is made anew.',
  },
  {
    file: SIGNATURE,
    line: 'if (KEYS.size >= MAX_KEYS) KEYS.clear();',
    instead: ['true', 'false', 'KEYS.size > MAX_KEYS', 'KEYS.size < MAX_KEYS'],
    why: 'It only bounds memory: a key that is not kept is made anew.',
  },
];
