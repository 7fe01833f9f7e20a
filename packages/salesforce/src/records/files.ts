/**
 * Texts that were too long for their field, as a file on the record: a transcript of an hour has more than the 32,000
 * characters of a task's comments. The file is published on the record, so that one request makes both file and link.
 *
 * A file has no unique key: on a record that existed before, or after a lost answer, its files are read first.
 * https://developer.salesforce.com/docs/platform/object-reference/references/standard-objects/object-contentversion.html
 */

import type { Item, Written } from '@wrapup/destination/engine';
import { asObject, asText } from '@wrapup/destination/http';
import { createRecord } from '../client/api.ts';
import { isIn, queryTogether, select } from '../client/query.ts';
import type { SalesforceSession } from '../client/transport.ts';
import { asSalesforceFailure } from '../errors/classify.ts';

interface Text {
  made: Written;
  title: string;
  path: string;
  text: string;
}

/**
 * Attaches them. A file that cannot be attached never fails the record: the receipt says so. Never rejects.
 * @returns notes on what could not be attached
 */
export async function attachTexts(session: SalesforceSession, written: Written[]): Promise<[Item, string][]> {
  const texts = written.flatMap(textsOf);
  if (texts.length === 0) return [];
  const older = texts.filter(({ made }) => made.receipt.did !== 'created');
  const present = await readTitles(session, older);
  const notes: [Item, string][] = [];
  for (const one of texts) {
    const why =
      present === undefined && older.includes(one)
        ? 'its files could not be read'
        : present?.has(titleKey(one))
          ? undefined
          : await attach(session, one);
    const { item } = one.made;
    if (why) notes.push([item, `The whole text of ${item.record.name} could not be attached as a file: ${why}`]);
  }
  return notes;
}

function textsOf(made: Written): Text[] {
  return [...made.cut].map(([field, text]) => {
    const { id } = made.item.write.plan.call;
    return {
      made,
      text,
      title: `Call ${id} (${field})`,
      path: `call-${id.replace(/[^\w.-]+/g, '_').slice(0, 80)}.txt`,
    };
  });
}

const titleKey = ({ made, title }: Text) => `${made.receipt.id} ${title.slice(0, 255)}`;

async function readTitles(session: SalesforceSession, texts: Text[]): Promise<Set<string> | undefined> {
  if (texts.length === 0) return new Set();
  const soql = select(
    'ContentDocumentLink',
    ['LinkedEntityId', 'ContentDocument.Title'],
    isIn('LinkedEntityId', new Set(texts.map(({ made }) => made.receipt.id))),
  );
  try {
    const plans = texts.map(({ made }) => made.item.write.index);
    const [result] = await queryTogether(session, 'read the files', [{ object: 'ContentDocumentLink', soql }], plans);
    return new Set(
      (result?.records ?? [])
        .map(asObject)
        .map((row) => `${asText(row.LinkedEntityId)} ${asText(asObject(row.ContentDocument).Title)}`),
    );
  } catch {
    return undefined;
  }
}

/** @returns why it could not be attached */
async function attach(session: SalesforceSession, one: Text): Promise<string | undefined> {
  const { made, title, path, text } = one;
  const fields = {
    Title: title.slice(0, 255),
    PathOnClient: path,
    VersionData: Buffer.from(text, 'utf8').toString('base64'),
    FirstPublishLocationId: made.receipt.id,
  };
  // A lost answer is asked about once: twice the file would be there twice.
  for (let round = 0; round < 2 && session.usable; round += 1) {
    try {
      await session.send(createRecord('ContentVersion', fields), [made.item.write.index]);
      return undefined;
    } catch (thrown) {
      const failure = asSalesforceFailure(thrown);
      if (!failure.outcome_unknown || !session.usable) return failure.message;
      const present = await readTitles(session, [one]);
      if (present?.has(titleKey(one))) return undefined;
      if (present === undefined) return failure.message;
    }
  }
  return 'there was no time for it';
}
