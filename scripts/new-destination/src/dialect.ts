import type { Dialect, WordDialect } from '@wrapup/mapping';
import { CALL_LOGS, OWNER, PEOPLE, TASKS } from './client/objects.ts';

const text = (property: string): WordDialect => ({ property, text: 'text' });

/** What the mapping language has to know about Acme: the records that mappings may name, and what their words mean. */
export const acmeDialect: Dialect = {
  kind: 'acme',
  person: { create_as: ['person'], object: PEOPLE, owner: OWNER },
  records: {
    call_log: {
      type: 'call_log',
      object: CALL_LOGS,
      words: { title: text('title'), body: { property: 'body', text: 'text', as: 'body' } },
      owner: OWNER,
      // What the line did is written again as it is; what people word and classify stays theirs.
      write: 'overwrite',
      writes: { title: 'if_ours', body: 'if_ours', result: 'if_ours' },
    },
    tasks: {
      type: 'task',
      object: TASKS,
      words: { subject: text('subject'), due_in: { property: 'due_at', text: 'text', as: 'due' } },
      owner: OWNER,
    },
  },
  // A preset is a YAML file in presets/, named here by `shipPresets(import.meta.url, ['call-log'])`.
  presets: {},
};
