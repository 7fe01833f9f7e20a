/** The SOAP side of the Metadata API, as far as deployments need it. https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta */
import { XMLBuilder } from 'fast-xml-parser';
import type { Reply } from '../../reply.ts';
import { SalesforceRefusal } from '../http/refusal.ts';
import type { Org } from '../org.ts';
import { parseXml, type Xml } from './package.ts';

const NAMESPACE = 'http://soap.sforce.com/2006/04/metadata';
const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', suppressEmptyNode: true });

type Operation = (org: Org, given: Record<string, unknown>) => Record<string, unknown>;

const OPERATIONS: Record<string, Operation> = {
  deploy: (org, { ZipFile, DeployOptions }) => {
    const { checkOnly } = (DeployOptions ?? {}) as { checkOnly?: string };
    const id = org.deployments.start(String(ZipFile), checkOnly === 'true');
    return { id, done: false, state: 'Queued' };
  },
  checkDeployStatus: (org, { asyncProcessId, includeDetails }) =>
    org.deployments.status(String(asyncProcessId), includeDetails === 'true'),
};

export function answerSoap(org: Org, text: string): Reply {
  try {
    const { Envelope } = parseXml(text) as { Envelope?: { Header?: Xml; Body?: Xml } };
    const session = (Envelope?.Header?.SessionHeader as { sessionId?: string } | undefined)?.sessionId;
    if (session === undefined || !org.tokens.isGood(session)) {
      return fault(
        'INVALID_SESSION_ID',
        'INVALID_SESSION_ID: Invalid Session ID found in SessionHeader: Illegal Session',
      );
    }
    org.usage.take(org.settings.limits);
    const [name = '', given = {}] = Object.entries(Envelope?.Body ?? {})[0] ?? [];
    const operation = OPERATIONS[name];
    if (!operation) return fault('UNKNOWN_EXCEPTION', `UNKNOWN_EXCEPTION: The sandbox knows no ${name}`);
    const result = operation(org, given as Record<string, unknown>);
    return envelope({ [`${name}Response`]: { '@xmlns': NAMESPACE, result } }, 200);
  } catch (error) {
    if (error instanceof SalesforceRefusal) return fault(error.code, `${error.code}: ${error.message}`);
    throw error;
  }
}

function fault(code: string, message: string): Reply {
  return envelope({ 'soapenv:Fault': { faultcode: `sf:${code}`, faultstring: message } }, 500);
}

function envelope(body: object, status: number): Reply {
  const text = builder.build({
    'soapenv:Envelope': { '@xmlns:soapenv': 'http://schemas.xmlsoap.org/soap/envelope/', 'soapenv:Body': body },
  });
  return {
    status,
    text: `<?xml version="1.0" encoding="UTF-8"?>${text}`,
    headers: { 'content-type': 'text/xml;charset=utf-8' },
  };
}
