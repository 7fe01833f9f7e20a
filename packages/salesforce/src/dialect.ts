import { shipPresets } from '@wrapup/destination';
import type { Dialect, RecordDialect, WordDialect } from '@wrapup/mapping';
import { OWNER, readObject } from './client/objects.ts';

const text = (property: string): WordDialect => ({ property, text: 'text' });
const choice = (property: string): WordDialect => ({ property, text: 'text', as: 'choice' });
/** Cut by the adapter, to the length that the org's own field has; what does not fit becomes a file. */
const body = (property: string): WordDialect => ({ property, text: 'text', as: 'body' });
const due = (property: string): WordDialect => ({ property, text: 'text', as: 'due' });

function record(type: string, object: string, words: Record<string, WordDialect>): RecordDialect {
  return { type, object, words, owner: OWNER };
}

/**
 * What the mapping language has to know about Salesforce. Field names are those of the API.
 * https://developer.salesforce.com/docs/platform/object-reference/references/standard-objects/object-task.html
 */
export const salesforceDialect: Dialect = {
  kind: 'salesforce',
  person: { create_as: ['lead', 'contact'], object: 'Lead', owner: OWNER },
  related: {
    account: { object: 'Account', elsewhere: ['company'] },
    // An opportunity belongs to an account, and names a contact only where its roles were kept.
    open_opportunities: {
      ...{ object: 'Opportunity', through: 'Account', open: true },
      elsewhere: ['open_deals', 'open_opportunity', 'opportunities'],
    },
    open_cases: { object: 'Case', open: true, elsewhere: ['open_tickets', 'open_case', 'cases'] },
  },
  records: {
    call_log: {
      ...record('call_log', 'Task', {
        title: text('Subject'),
        body: body('Description'),
        outcome: choice('CallDisposition'),
      }),
      // What the line did is written again as it is; what people word and classify stays theirs.
      write: 'overwrite',
      writes: { Subject: 'if_ours', Description: 'if_ours', CallDisposition: 'if_ours' },
    },
    tasks: record('task', 'Task', {
      subject: text('Subject'),
      body: body('Description'),
      due_in: due('ActivityDate'),
      remind_in: due('ReminderDateTime'),
      priority: choice('Priority'),
      status: choice('Status'),
      type: choice('Type'),
    }),
    events: {
      ...record('event', 'Event', {
        subject: text('Subject'),
        body: body('Description'),
        starts_at: text('StartDateTime'),
        ends_at: text('EndDateTime'),
        minutes: text('DurationInMinutes'),
        location: text('Location'),
      }),
      keyed: true,
    },
    opportunities: {
      ...record('opportunity', 'Opportunity', {
        title: text('Name'),
        body: body('Description'),
        stage: choice('StageName'),
        close_in: due('CloseDate'),
        amount: text('Amount'),
      }),
      findable: true,
    },
    cases: {
      ...record('case', 'Case', {
        subject: text('Subject'),
        body: body('Description'),
        status: choice('Status'),
        priority: choice('Priority'),
        origin: choice('Origin'),
      }),
      findable: true,
    },
    accounts: record('account', 'Account', { title: text('Name'), body: body('Description') }),
    objects: {
      ...record('object', 'objects', { title: text('Name') }),
      was: 'custom_objects',
      findable: true,
      keyed: true,
      any_object: {
        such_as: 'CampaignMember, Asset, or Site_Visit__c, the API name under Setup, Object Manager',
        read: readObject,
      },
    },
  },
  presets: shipPresets(import.meta.url, ['call-log', 'lead-capture', 'appointment', 'call-quality']),
};
