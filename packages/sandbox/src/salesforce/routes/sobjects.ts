/** One record at a time, and what the objects are. */
import type { Reply } from '../../reply.ts';
import { lockError } from '../batch/collections.ts';
import { bodyOf, objectOf, ok, type Prepared, type SalesforceCall, type SalesforceEndpoint } from '../http/endpoint.ts';
import { notFound, SalesforceRefusal } from '../http/refusal.ts';
import { externalIdField, recordByExternalId, recordById, Several } from '../records/identify.ts';
import { namesIn, recordJson } from '../records/record-json.ts';
import type { StoredSObject } from '../records/records.ts';
import { holdLocks, lookAhead, upsertRecord } from '../records/upserts.ts';
import { createRecord, deleteRecord, updateRecord } from '../records/writes.ts';
import { describeBriefly, describeWhole } from '../schema/describe.ts';

const NO_CONTENT: Reply = { status: 204 };

/** What one request changes stays or goes as a whole. @throws Refusal */
function writing<T>(call: SalesforceCall, prepared: Prepared | undefined, work: () => T): T {
  const held = prepared?.locked.get(0);
  if (held !== undefined) throw lockError(held);
  const { fault } = call;
  if (fault?.kind === 'row_error') {
    throw new SalesforceRefusal(fault.code ?? 'UNABLE_TO_LOCK_ROW', fault.message ?? lockError().message, {
      fields: [],
    });
  }
  return call.org.journal.during(call.n, work);
}

function created(call: SalesforceCall, record: StoredSObject, more: object = {}): Reply {
  return {
    status: 201,
    body: { id: record.id, success: true, errors: [], ...more },
    headers: { location: `${call.root}/sobjects/${record.object.name}/${record.id}` },
  };
}

function create(call: SalesforceCall, prepared: Prepared | undefined) {
  return created(
    call,
    writing(call, prepared, () => createRecord(call, objectOf(call), bodyOf(call))),
  );
}

const lockId = (call: SalesforceCall): Prepared => holdLocks(call, [{ id: call.params.id }], []);

const lockBody = (call: SalesforceCall): Prepared => holdLocks(call, [bodyOf(call)], [call.params.id]);

function update(call: SalesforceCall, prepared: Prepared | undefined): Reply {
  const body = bodyOf(call);
  const idField = Object.keys(body).find((name) => name.toLowerCase() === 'id');
  if (idField)
    throw new SalesforceRefusal('INVALID_FIELD', 'The Id field should not be specified in the sobject data.');
  writing(call, prepared, () => updateRecord(call, recordById(call, objectOf(call), call.params.id ?? ''), body));
  return NO_CONTENT;
}

function remove(call: SalesforceCall, prepared: Prepared | undefined): Reply {
  writing(call, prepared, () => deleteRecord(call, recordById(call, objectOf(call), call.params.id ?? '')));
  return NO_CONTENT;
}

function shown(call: SalesforceCall, record: StoredSObject): Reply {
  const body = recordJson(call, record, namesIn(call.query));
  return { ...ok(body), headers: lastModified(new Date(String(record.values.get('LastModifiedDate')))) };
}

const lastModified = (at: Date) => ({ 'last-modified': at.toUTCString() });

/** What the org is made of; it says when it was last changed, so that it need not be read again. */
function described(body: unknown): Reply {
  return { ...ok(body), headers: { ...lastModified(new Date(0)), etag: '"sandbox"' } };
}

function readByExternalId(call: SalesforceCall): Reply {
  const object = objectOf(call);
  const field = externalIdField(call, object, call.params.field ?? '');
  return multiple(() => {
    const record = recordByExternalId(call, object, field, call.params.value ?? '');
    if (!record) throw notFound();
    return shown(call, record);
  });
}

function prepareUpsert(call: SalesforceCall): Prepared {
  const object = objectOf(call);
  const field = externalIdField(call, object, call.params.field ?? '');
  return holdLocks(call, [bodyOf(call)], [lookAhead(call, object, field, call.params.value)]);
}

function upsert(call: SalesforceCall, prepared: Prepared | undefined): Reply {
  const object = objectOf(call);
  const field = externalIdField(call, object, call.params.field ?? '');
  const given = bodyOf(call);
  if (Object.keys(given).some((name) => name.toLowerCase() === field.name.toLowerCase())) {
    throw new SalesforceRefusal(
      'INVALID_FIELD',
      `The ${field.name} field should not be specified in the sobject data.`,
    );
  }
  return multiple(() => {
    const { record, created: isNew } = writing(call, prepared, () =>
      upsertRecord(call, {
        object,
        field,
        value: call.params.value ?? '',
        given,
        foundBefore: prepared?.found[0],
        updateOnly: call.query.get('updateOnly') === 'true',
      }),
    );
    if (isNew) return created(call, record, { created: true });
    // Versions before 46 said nothing about an update.
    if (Number(call.version) < 46) return NO_CONTENT;
    return { ...created(call, record, { created: false }), status: 200 };
  });
}

/** Several records: 300, with where they are. */
function multiple(work: () => Reply): Reply {
  try {
    return work();
  } catch (error) {
    if (error instanceof Several) return { status: 300, body: error.urls };
    throw error;
  }
}

function removeByExternalId(call: SalesforceCall): Reply {
  const object = objectOf(call);
  const field = externalIdField(call, object, call.params.field ?? '');
  return multiple(() => {
    const record = recordByExternalId(call, object, field, call.params.value ?? '');
    if (!record) throw notFound();
    writing(call, undefined, () => deleteRecord(call, record));
    return NO_CONTENT;
  });
}

function content(call: SalesforceCall): Reply {
  const record = recordById(call, call.org.schema.object('ContentVersion'), call.params.id ?? '');
  return {
    status: 200,
    text: Buffer.from(String(record.values.get('VersionData')), 'base64').toString('utf8'),
    headers: { 'content-type': 'application/octet-stream' },
  };
}

const SINGLE = { inComposite: 'yes', inGraph: true } as const;

/** Where two patterns match one path, the earlier one answers. */
export const sobjectEndpoints: SalesforceEndpoint[] = [
  {
    method: 'GET',
    path: '/sobjects',
    operation: 'describe/global',
    handle: (call) =>
      described({
        encoding: 'UTF-8',
        maxBatchSize: 200,
        sobjects: call.org.schema.objects.map((object) => describeBriefly(object, call.root)),
      }),
  },
  {
    method: 'GET',
    path: '/sobjects/:object',
    operation: 'describe/basic',
    handle: (call) => ok({ objectDescribe: describeBriefly(objectOf(call), call.root), recentItems: [] }),
  },
  {
    method: 'POST',
    path: '/sobjects/:object',
    operation: 'create',
    prepare: (call) => holdLocks(call, [bodyOf(call)], []),
    handle: create,
    ...SINGLE,
  },
  {
    method: 'GET',
    path: '/sobjects/:object/describe',
    operation: 'describe',
    handle: (call) => described(describeWhole(call.org.schema, objectOf(call), call.root)),
    // All resources of sObjects but blobs may: https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-composite-post.html
    inComposite: 'yes',
  },
  { method: 'GET', path: '/sobjects/ContentVersion/:id/VersionData', operation: 'content', handle: content },
  {
    method: 'GET',
    path: '/sobjects/:object/:id',
    operation: 'read',
    handle: (call) => shown(call, recordById(call, objectOf(call), call.params.id ?? '')),
    ...SINGLE,
  },
  { method: 'PATCH', path: '/sobjects/:object/:id', operation: 'update', prepare: lockBody, handle: update, ...SINGLE },
  { method: 'DELETE', path: '/sobjects/:object/:id', operation: 'delete', prepare: lockId, handle: remove, ...SINGLE },
  {
    method: 'GET',
    path: '/sobjects/:object/:field/:value',
    operation: 'read/external',
    handle: readByExternalId,
    ...SINGLE,
  },
  {
    method: 'PATCH',
    path: '/sobjects/:object/:field/:value',
    operation: 'upsert',
    prepare: prepareUpsert,
    handle: upsert,
    ...SINGLE,
  },
  {
    method: 'DELETE',
    path: '/sobjects/:object/:field/:value',
    operation: 'delete/external',
    handle: removeByExternalId,
    ...SINGLE,
  },
];
