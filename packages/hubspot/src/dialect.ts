import { shipPresets } from '@wrapup/destination';
import type { Dialect, RecordDialect, WordDialect } from '@wrapup/mapping';
import { OWNER, TEXT_LIMIT } from './client/definitions.ts';
import { linkedTo, readObject } from './client/objects.ts';
import { KEY_LINE_ROOM } from './keys/id-map.ts';

/**
 * Rich text that HubSpot renders: 65,536 characters is documented for notes and assumed for the others. Room is left for
 * the line with the key that records carry where an account refuses the unique property.
 * https://developers.hubspot.com/docs/api-reference/latest/crm/activities/notes/guide
 */
const RICH_TEXT_LIMIT = TEXT_LIMIT - KEY_LINE_ROOM;

const text = (property: string): WordDialect => ({ property, text: 'text' });
const choice = (property: string): WordDialect => ({ property, text: 'text', as: 'choice' });
const rich = (property: string): WordDialect => ({ property, text: 'html', limit: RICH_TEXT_LIMIT, as: 'body' });

/** A record of a pipeline: a name, where it stands, in which pipeline. */
function staged(type: string, object: string, words: Record<string, WordDialect>): RecordDialect {
  return { type, object, words, owner: OWNER, labels: true, findable: true };
}

/**
 * What the mapping language has to know about HubSpot. Property names are those of the objects API.
 * https://developers.hubspot.com/docs/api-reference/latest/crm/activities/calls/guide
 */
export const hubspotDialect: Dialect = {
  kind: 'hubspot',
  person: { create_as: ['contact'], object: 'contacts', owner: OWNER },
  related: {
    company: { object: 'companies', elsewhere: ['account'] },
    open_deals: { object: 'deals', open: true, elsewhere: ['open_opportunities', 'open_deal', 'deals'] },
    open_tickets: { object: 'tickets', open: true, elsewhere: ['open_cases', 'open_ticket', 'tickets'] },
  },
  records: {
    call_log: {
      type: 'call_log',
      object: 'calls',
      words: { title: text('hs_call_title'), body: rich('hs_call_body') },
      owner: OWNER,
      // What the line did is written again as it is; what people word and classify stays theirs.
      write: 'overwrite',
      writes: { hs_call_title: 'if_ours', hs_call_body: 'if_ours', hs_call_disposition: 'if_ours' },
    },
    tasks: {
      type: 'task',
      object: 'tasks',
      words: {
        subject: text('hs_task_subject'),
        body: rich('hs_task_body'),
        due_in: { property: 'hs_timestamp', text: 'text', as: 'due' },
        priority: choice('hs_task_priority'),
        status: choice('hs_task_status'),
        type: choice('hs_task_type'),
      },
      owner: OWNER,
    },
    notes: { type: 'note', object: 'notes', words: { body: rich('hs_note_body') }, owner: OWNER },
    meetings: {
      type: 'meeting',
      object: 'meetings',
      words: {
        title: text('hs_meeting_title'),
        body: rich('hs_meeting_body'),
        starts_at: text('hs_meeting_start_time'),
        ends_at: text('hs_meeting_end_time'),
        outcome: choice('hs_meeting_outcome'),
      },
      owner: OWNER,
      keyed: true,
    },
    companies: {
      type: 'company',
      object: 'companies',
      words: { title: text('name'), domain: text('domain') },
      owner: OWNER,
      labels: true,
      // More often another user's record than ours: only gaps are filled.
      write: 'if_empty',
      required: ['domain'],
    },
    deals: staged('deal', 'deals', {
      title: text('dealname'),
      stage: choice('dealstage'),
      pipeline: choice('pipeline'),
    }),
    tickets: staged('ticket', 'tickets', {
      subject: text('subject'),
      stage: choice('hs_pipeline_stage'),
      pipeline: choice('hs_pipeline'),
    }),
    objects: {
      type: 'object',
      object: 'objects',
      was: 'custom_objects',
      words: {},
      owner: OWNER,
      labels: true,
      findable: true,
      keyed: true,
      any_object: {
        such_as:
          'leads, listings, services, appointments, courses, or 2-3453932, the type id under Settings > Data Management > Objects',
        read: readObject,
        linkedTo,
      },
    },
  },
  presets: shipPresets(import.meta.url, ['call-log', 'lead-qualification', 'appointment', 'call-quality']),
};
