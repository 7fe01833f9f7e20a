/**
 * Writes down what a vendor answered, without what belongs to people: for sending a difference to those who keep the sandbox.
 *
 * What is kept is listed, everything else is replaced: texts by `text 1`, addresses by `person1@example.com`, telephone
 * numbers, ids and other long numbers by made-up ones of the same length. One value has one replacement throughout, also
 * in paths, queries and messages. Tokens and whatever is sent for them are removed.
 */
import { jsonOrText } from '@wrapup/call';
import type { ObservedExchange } from '../port/context.ts';

/** One line of the file. */
interface RecordedExchange {
  id: string;
  vendor: string;
  /** Method and path, what belongs to single records left out. */
  api: string;
  year: number;
  trust: 'recorded';
  request: { method: string; path: string; query: Record<string, string> | null; body: unknown };
  response: { status: number; headers: Record<string, string>; body: unknown };
}

const HEADERS =
  /^(?:content-type|date|retry-after|sforce-limit-info|location|www-authenticate|x-hubspot-.*|vary|cache-control|expires|last-modified|etag|x-content-type-options|deprecation|sunset)$/;

/** Members whose texts are the vendor's own words: codes, kinds, names of properties. */
const STRUCTURE = new Set([
  ...['status', 'category', 'subCategory', 'errorCode', 'statusCode', 'code', 'error', 'errorType', 'policyName'],
  ...['type', 'fieldType', 'associationCategory', 'objectTypeId', 'fromObjectTypeId', 'toObjectTypeId', 'method'],
  ...['entityType', 'matchEngine', 'soapType', 'relationshipName', 'keyPrefix', 'dataSensitivity', 'accountType'],
  ...['dataHostingLocation', 'encoding', 'token_type', 'operator', 'direction', 'propertyName', 'propertyName[]'],
  ...[
    'idProperty',
    'groupName',
    'requiredGranularScopes[]',
    'referenceTo[]',
    'fields[]',
    'properties[]',
    'referencedObjectType',
  ],
]);
const CODE = /^[A-Za-z0-9_.:-]{1,60}$/;
/** Numbers that say how much there is, and not who. */
const COUNTS =
  /^(?:Max|Remaining|total(?:Size)?|numErrors|(?:byteL|l)ength|digits|precision|scale|displayOrder|size|expires_in|utcOffsetMilliseconds)$/;
const SECRETS = /token|secret|password|signature|assertion|authorization|^client_id$|hapikey/i;
/** Fields of Salesforce begin with a capital. */
const OF_RECORDS = /^(?:[A-Z]|firstName$|lastName$|display_name$|email$)/;
const WORDS = /^(?:message|error_description|errorMessage)$/;

/** Personal data within a sentence, as sources of one expression. */
const EMAIL = /[^\s@"'<>(){}[\],;:=&?/]+@[^\s@"'<>(){}[\],;:=&?/]+/.source;
const PHONE = /\+?\(?\d(?:(?:[ .-]|\) ?)?\d){6,}/.source;
const QUOTED = /"[^"]*"|'[^']*'/.source;
const UUID_WITHIN = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/.source;
const ID_WITHIN = /\b(?=\w*\d)(?=\w*[A-Za-z])[A-Za-z0-9]{15,18}\b/.source;
const MOMENT = /^\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d))?$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const RECORD_ID = /^(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?$/;
const LONG_NUMBER = /^-?\d{5,}(?:\.\d+)?$/;
const SHORT_NUMBER = /^-?\d{1,4}(?:\.\d+)?$/;

export class ExchangeRecorder {
  readonly #vendor: string;
  readonly #scrub = new Scrubber();
  readonly #recorded: RecordedExchange[] = [];

  /** @param vendor kind of the connection: `hubspot` */
  constructor(vendor: string) {
    this.#vendor = vendor;
  }

  /** How many exchanges there are. */
  get size(): number {
    return this.#recorded.length;
  }

  /** One exchange a line, in JSON. */
  lines(): string[] {
    return this.#recorded.map((exchange) => JSON.stringify(exchange));
  }

  readonly observe = ({ request, answer }: ObservedExchange): void => {
    const { pathname, searchParams } = new URL(request.url);
    const isForToken = /\/oauth/.test(pathname);
    // First what was sent: the answer quotes it.
    this.#scrub.begin('request');
    const path = this.#scrub.path(pathname);
    const query = [...searchParams].map(([name, value]) => [name, this.#scrub.parameter(name, value)] as const);
    const body = isForToken ? 'REMOVED' : this.#scrub.value(parse(request.body?.toString() ?? ''), 'body');
    this.#scrub.begin('answer');
    this.#recorded.push({
      id: `${this.#vendor}-${String(this.#recorded.length + 1).padStart(4, '0')}`,
      vendor: this.#vendor,
      api: `${request.method} ${patternOf(path)}`,
      year: new Date().getUTCFullYear(),
      trust: 'recorded',
      request: { method: request.method, path, query: query.length > 0 ? Object.fromEntries(query) : null, body },
      response: {
        status: answer.status,
        headers: this.#headers(answer.headers),
        body: this.#scrub.value(parse(answer.text), 'body'),
      },
    });
  };

  #headers(headers: Record<string, string>): Record<string, string> {
    const kept = Object.entries(headers).filter(([name]) => HEADERS.test(name));
    return Object.fromEntries(kept.map(([name, value]) => [name, this.#scrub.header(name, value)]));
  }
}

function parse(text: string): unknown {
  return text === '' ? null : jsonOrText(text);
}

function patternOf(path: string): string {
  return path
    .replace(/\/v\d+\.0(?=\/|$)/, '/v{version}')
    .replace(/\/20\d\d-\d\d(?=\/|$)/, '/{date}')
    .replace(/\/(?:\d{5,}|text%20\d+|person\d+@example\.com|[A-Za-z0-9]{3}0{6,}[A-Za-z0-9]+)(?=\/|$)/g, '/{id}');
}

/** Single words, names of properties, and codes. */
const VENDORS_WORD = /^(?:[a-z][a-z_]*|[A-Z][A-Z_]+|[A-Z][a-z]+)$/;

type Kind = 'text' | 'person' | 'phone' | 'number' | 'record' | 'uuid';

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Puts made-up values in the place of personal ones. */
class Scrubber {
  /** Replacements by what they stand for. */
  readonly #known = new Map<string, string>();
  /** What stood in records. */
  readonly #ofRecords = new Set<string>();
  /** What the request of this exchange holds. */
  readonly #sent = new Set<string>();
  #isSending = false;
  readonly #counts: Record<Kind, number> = { text: 0, person: 0, phone: 0, number: 0, record: 0, uuid: 0 };

  /** What comes now is of a request, or of its answer. */
  begin(part: 'request' | 'answer'): void {
    this.#isSending = part === 'request';
    if (this.#isSending) this.#sent.clear();
  }

  /** @param key name of the member; of a list its name with `[]` */
  value(value: unknown, key: string, isRecord = false): unknown {
    if (typeof value === 'string') return this.#text(value, key, isRecord);
    if (typeof value === 'number') return COUNTS.test(key) ? value : Number(this.#plain(String(value)));
    if (Array.isArray(value)) return value.map((item) => this.value(item, `${key}[]`, isRecord));
    if (typeof value !== 'object' || value === null) return value;
    // Members of these are named by the account, whatever their names look like.
    const holdsRecord = isRecord || key === 'properties';
    const isDefinition = 'fieldType' in value || 'soapType' in value || ('name' in value && 'label' in value);
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        this.#memberName(name),
        isDefinition && name === 'name' && typeof member === 'string' && CODE.test(member)
          ? member
          : this.value(member, name, holdsRecord),
      ]),
    );
  }

  /** A member may be named by a value; names of properties are none. */
  #memberName(name: string): string {
    if (this.#known.has(name)) return this.#plain(name);
    return /^[A-Za-z_][\w.$-]*$/.test(name) ? name : this.#replace(name, 'text', (n) => `text ${n}`);
  }

  #text(value: string, key: string, isRecord: boolean): string {
    if (SECRETS.test(key)) return 'REMOVED';
    if (isRecord || OF_RECORDS.test(key)) this.#ofRecords.add(value);
    if (!isRecord && WORDS.test(key)) return this.#words(value);
    if (!isRecord && STRUCTURE.has(key) && CODE.test(value)) return value;
    return this.#plain(value);
  }

  #plain(value: string): string {
    if (value === '' || value === 'true' || value === 'false' || value === 'null' || MOMENT.test(value)) return value;
    if (SHORT_NUMBER.test(value)) return value;
    if (UUID.test(value))
      return this.#replace(value, 'uuid', (n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`);
    if (LONG_NUMBER.test(value)) return this.#number(value);
    if (RECORD_ID.test(value)) return this.#record(value);
    if (/^[^\s@]+@[^\s@]+$/.test(value)) return this.#email(value);
    if (/^\/services\/data\//.test(value)) return this.path(value);
    if (/^https?:/.test(value)) return this.#url(value);
    if (/^\+?[\d\s().-]{7,}$/.test(value)) return this.#phone(value);
    return this.#replace(value, 'text', (n) => `text ${n}`);
  }

  #replace(value: string, kind: Kind, make: (n: number) => string): string {
    if (this.#isSending) this.#sent.add(value);
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    this.#counts[kind] += 1;
    const made = make(this.#counts[kind]);
    this.#known.set(value, made);
    return made;
  }

  #email(value: string): string {
    return this.#replace(value.toLowerCase(), 'person', (n) => `person${n}@example.com`);
  }

  #phone(value: string): string {
    return this.#replace(value.replace(/\D/g, ''), 'phone', (n) => `+1415555${String(n).padStart(4, '0')}`);
  }

  /** Of the same length, so that what is an id stays one. */
  #number(value: string): string {
    return this.#replace(value, 'number', (n) => `9${String(n).padStart(value.length - 1, '0')}`);
  }

  /** The first three characters say of which object it is. */
  #record(value: string): string {
    return this.#replace(value, 'record', (n) => `${value.slice(0, 3)}${String(n).padStart(value.length - 3, '0')}`);
  }

  /** A sentence of the vendor, which may quote what was sent, and details as JSON. */
  #words(message: string): string {
    const start = message.indexOf('[{');
    if (start >= 0) {
      const end = message.lastIndexOf(']') + 1;
      const details = this.value(parse(message.slice(start, end)), 'details');
      if (typeof details !== 'string')
        return `${this.#words(message.slice(0, start))}${JSON.stringify(details)}${this.#words(message.slice(end))}`;
    }
    // What was sent may be quoted, whatever it is; of all else that is known, what is no word of the vendor's own.
    const quoted = [...this.#known.keys()].filter(
      (value) =>
        value.length > 1 &&
        message.includes(value) &&
        (this.#sent.has(value) || this.#ofRecords.has(value) || !VENDORS_WORD.test(value)),
    );
    quoted.sort((a, b) => b.length - a.length);
    // In one pass: a replacement must not be replaced once more.
    const parts = [...quoted.map(literal), QUOTED, EMAIL, UUID_WITHIN, ID_WITHIN, PHONE, '\\d{5,}'];
    return message.replace(new RegExp(parts.join('|'), 'gi'), (found) => this.#wordOf(found));
  }

  #wordOf(found: string): string {
    const known = this.#known.get(found) ?? this.#known.get(found.toLowerCase());
    if (known !== undefined) return known;
    const [, quote, quoted] = /^(["'])(.*)\1$/s.exec(found) ?? [];
    if (quote === undefined || quoted === undefined) return this.#plain(found);
    return /^\w[\w.]*$/.test(quoted) && !this.#known.has(quoted) ? found : `${quote}${this.#plain(quoted)}${quote}`;
  }

  header(name: string, value: string): string {
    if (name === 'location') return this.#url(value);
    if (name === 'x-hubspot-correlation-id') return this.#plain(value);
    return name === 'www-authenticate' ? 'REMOVED' : value;
  }

  parameter(name: string, value: string): string {
    if (SECRETS.test(name)) return 'REMOVED';
    if (/^(?:properties|associations|fields|sobject|idProperty)$/.test(name)) return value;
    if (name === 'ids')
      return value
        .split(',')
        .map((id) => this.#plain(id))
        .join(',');
    if (name === 'q') return this.#statement(value);
    return this.#plain(value);
  }

  /** SOQL and SOSL: what stands in quotes or in braces is looked for. */
  #statement(statement: string): string {
    return statement
      .replace(/'((?:[^'\\]|\\.)*)'/g, (_found, value: string) => `'${this.#plain(value)}'`)
      .replace(/\{([^}]*)\}/g, (_found, value: string) => `{${this.#plain(value)}}`);
  }

  path(path: string): string {
    const parts = path.split('/');
    return parts
      .map((part, at) => {
        const value = decode(part);
        const byValue = parts[at - 3] === 'sobjects' || (parts[at - 2] === 'objects' && !/^[a-z]+$/.test(value));
        const isName = /^[A-Za-z_][\w.-]*$/.test(value) && !RECORD_ID.test(value);
        const isVersion = /^(?:v\d+(?:\.0)?|\d{4}-\d\d|\d-\d+)$/.test(value);
        return value === '' || isVersion || (isName && !byValue) ? part : encodeURI(this.#plain(value));
      })
      .join('/');
  }

  /** The vendor's hosts stay, but for the name of the org; all others are replaced. */
  #url(value: string): string {
    if (!URL.canParse(value)) return value.startsWith('/') ? this.path(value) : 'https://example.com/';
    const { protocol, hostname, pathname } = new URL(value);
    const isHubSpot = /(?:^|\.)(?:hubspot|hubapi)\.com$/.test(hostname);
    const host = isHubSpot
      ? hostname
      : /\.salesforce\.com$/.test(hostname)
        ? 'example.my.salesforce.com'
        : 'example.com';
    return isHubSpot || host !== 'example.com' ? `${protocol}//${host}${this.path(pathname)}` : `${protocol}//${host}/`;
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
