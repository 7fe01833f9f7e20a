import type { Preview } from './destination.ts';

/** What a preview's decision means for the person, or for the call where there is none: the end of a sentence. */
export const DECISION_WORDS: Record<Preview['decision'], string> = {
  use: 'is written to',
  create: 'would be created',
  log_only: 'the call would be logged without a person',
  skip: 'nothing would be written',
  park: 'the delivery would be parked for a person to decide',
};

/** The end of the same sentence for a person who was found only by what was said. */
export const SAID_WORDS =
  'found by an address that was only said, so the call log and the tasks are marked, and nothing of the person is written';
