/**
 * Texts that were too long for their field, as a file on the record: a transcript of an hour has more than the 32,000
 * characters of a task's comments. The file is published on the record, so that one request makes both file and link.
 *
 * A file has no unique key: on a record that existed before, or after a lost answer, its files are read first.
 * https://developer.salesforce.com/docs/platform/object-reference/references/standard-objects/object-contentversion.html
 */
import { asObject, asText } from '@wrapup/destination/delivery';
import { createRecord } from './api.ts';
import { asSalesforceFailure } from './errors.ts';
import { queryTogether } from './query.ts';
import type { Written } from './record-row.ts';
import { isIn, select } from './soql.ts';
import type { Work } from './work.ts';

interface Text {
  made: Written;
  title: string;
  path: string;
  text: string;
}

/** Attaches them. A file that cannot be attached never fails the record: the receipt says so. Never rejects. */
export async function attachTexts(work: Work, written: Written[]): Promise<void> {
  const texts = written.flatMap(textsOf);
  if (texts.length === 0) return;
  const present = await readTitles(
    work,
    texts.filter(({ made }) => made.receipt.did !== 'created'),
  );
  for (const one of texts) {
    if (present === undefined && one.made.receipt.did !== 'created') note(one, 'its files could not be read');
    else if (!present?.has(titleKey(one))) await attach(work, one);
  }
}

function textsOf(made: Written): Text[] {
  return [...made.cut].map(([field, text]) => {
    const { id } = made.item.job.plan.call;
    return {
      made,
      text,
      title: `Call ${id} (${field})`,
      path: `call-${id.replace(/[^\w.-]+/g, '_').slice(0, 80)}.txt`,
    };
  });
}

const titleKey = ({ made, title }: Text) => `${made.receipt.id} ${title.slice(0, 255)}`;

async function readTitles(work: Work, texts: Text[]): Promise<Set<string> | undefined> {
  if (texts.length === 0) return new Set();
  const soql = select(
    'ContentDocumentLink',
    ['LinkedEntityId', 'ContentDocument.Title'],
    isIn('LinkedEntityId', new Set(texts.map(({ made }) => made.receipt.id))),
  );
  try {
    const plans = texts.map(({ made }) => made.item.job.index);
    const [result] = await queryTogether(
      work.session,
      'read the files',
      [{ object: 'ContentDocumentLink', soql }],
      plans,
    );
    return new Set(
      (result?.records ?? [])
        .map(asObject)
        .map((row) => `${asText(row.LinkedEntityId)} ${asText(asObject(row.ContentDocument).Title)}`),
    );
  } catch {
    return undefined;
  }
}

async function attach(work: Work, one: Text): Promise<void> {
  const { made, title, path, text } = one;
  const fields = {
    Title: title.slice(0, 255),
    PathOnClient: path,
    VersionData: Buffer.from(text, 'utf8').toString('base64'),
    FirstPublishLocationId: made.receipt.id,
  };
  // A lost answer is asked about once: twice the file would be there twice.
  for (let round = 0; round < 2 && work.session.usable; round += 1) {
    try {
      await work.session.send(createRecord('ContentVersion', fields), [made.item.job.index]);
      return;
    } catch (thrown) {
      const failure = asSalesforceFailure(thrown);
      if (!failure.doubt || !work.session.usable) return note(one, failure.message);
      const present = await readTitles(work, [one]);
      if (present?.has(titleKey(one))) return;
      if (present === undefined) return note(one, failure.message);
    }
  }
  note(one, 'there was no time for it');
}

function note({ made }: Text, why: string): void {
  made.item.job.notes.push(`The whole text of ${made.item.record.name} could not be attached as a file: ${why}`);
}
