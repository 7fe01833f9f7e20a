/**
 * A deployment as it comes: a zip with `package.xml`, which names everything, and a file for each object and permission set.
 * https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/file_based.htm
 */
import { XMLParser } from 'fast-xml-parser';
import { strFromU8, unzipSync } from 'fflate';
import { SalesforceRefusal } from '../http/refusal.ts';

export type Xml = Record<string, unknown>;

export interface Package {
  /** Members by type: `CustomField`: [`Lead.Key__c`]. */
  members: Record<string, string[]>;
  /** What the files hold, by object and by permission set. */
  objects: Record<string, Xml>;
  permissionSets: Record<string, Xml>;
}

const parser = new XMLParser({ ignoreAttributes: true, parseTagValue: false, removeNSPrefix: true });

/** @throws Refusal when it is no XML */
export function parseXml(text: string): Xml {
  try {
    return parser.parse(text, true) as Xml;
  } catch (error) {
    throw new SalesforceRefusal('INVALID_INPUT', `no XML: ${(error as Error).message}`);
  }
}

export function listOf<T = unknown>(value: unknown): T[] {
  if (value === undefined || value === null || value === '') return [];
  return (Array.isArray(value) ? value : [value]) as T[];
}

/** @param base64 the zip. @throws Refusal */
export function readPackage(base64: string): Package {
  const files = unzip(base64);
  const manifest = Object.entries(files).find(([path]) => /(?:^|\/)package\.xml$/.test(path))?.[1];
  if (manifest === undefined) throw new SalesforceRefusal('INVALID_INPUT', 'No package.xml found');
  const { Package: content } = parseXml(manifest) as { Package?: { types?: unknown } };
  const members = Object.fromEntries(
    listOf<{ name: string; members: unknown }>(content?.types).map((type) => [type.name, listOf<string>(type.members)]),
  );
  return {
    members,
    objects: contents(files, /(?:^|\/)objects\/(\w+)\.object$/, 'CustomObject'),
    permissionSets: contents(files, /(?:^|\/)permissionsets\/(\w+)\.permissionset$/, 'PermissionSet'),
  };
}

function contents(files: Record<string, string>, path: RegExp, root: string): Record<string, Xml> {
  return Object.fromEntries(
    Object.entries(files).flatMap(([name, text]) => {
      const member = path.exec(name)?.[1];
      return member === undefined ? [] : [[member, (parseXml(text)[root] ?? {}) as Xml]];
    }),
  );
}

function unzip(base64: string): Record<string, string> {
  try {
    const files = unzipSync(Buffer.from(base64, 'base64'));
    return Object.fromEntries(Object.entries(files).map(([path, bytes]) => [path, strFromU8(bytes)]));
  } catch (error) {
    throw new SalesforceRefusal('INVALID_INPUT', `The zip file cannot be read: ${(error as Error).message}`);
  }
}
