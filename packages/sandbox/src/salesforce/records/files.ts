/** A published file: its document, and the link to the record where it is published. */
import type { SalesforceCall } from '../http/endpoint.ts';
import type { StoredSObject } from './records.ts';
import type { FieldValue } from './values.ts';

/** @param version just created */
export function publishFile(call: SalesforceCall, version: StoredSObject, now: string): void {
  const { org } = call;
  const path = version.values.get('PathOnClient');
  const data = version.values.get('VersionData');
  const title = version.values.get('Title') ?? String(path).replace(/\.[^.]*$/, '');
  const add = (object: string, values: Record<string, FieldValue>) =>
    org.records.create(org.schema.object(object), new Map(Object.entries(values)), now, org.userId);
  const document = add('ContentDocument', { Title: title, LatestPublishedVersionId: version.id, OwnerId: org.userId });
  const extension = /\.([^.]+)$/.exec(String(path))?.[1] ?? '';
  org.records.derive(
    version,
    new Map<string, FieldValue>([
      ['Title', title],
      ['ContentDocumentId', document.id],
      ['IsLatest', true],
      ['VersionNumber', '1'],
      ['ContentSize', Buffer.from(String(data), 'base64').length],
      ['FileExtension', extension],
      ['FileType', extension === 'txt' ? 'TEXT' : extension.toUpperCase() || 'UNKNOWN'],
    ]),
  );
  const location = version.values.get('FirstPublishLocationId');
  for (const linked of new Set([org.userId, location])) {
    if (typeof linked !== 'string') continue;
    add('ContentDocumentLink', {
      LinkedEntityId: linked,
      ContentDocumentId: document.id,
      ShareType: linked === org.userId ? 'I' : 'V',
      Visibility: 'AllUsers',
    });
  }
}
