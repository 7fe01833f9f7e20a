/** Salesforce, the way it is usually written with jsforce: query, create or update, two tasks. */
import { Connection } from 'jsforce';
import type { DeliverCall } from './body.ts';

const connection = new Connection({
  loginUrl: process.env.SALESFORCE_LOGIN_URL ?? '',
  oauth2: {
    loginUrl: process.env.SALESFORCE_LOGIN_URL ?? '',
    clientId: 'sandbox-consumer-key',
    clientSecret: 'sandbox-consumer-secret',
  },
});
let authorized: Promise<unknown> | undefined;

/** Digits of a phone number as people write it in the CRM: quoted in SOQL, so nothing but digits and a plus. */
const quoted = (phone: string) => `'${phone.replace(/[^+\d]/g, '')}'`;

export const deliver: DeliverCall = async ({ lead, call }) => {
  authorized ??= connection.authorize({ grant_type: 'client_credentials' });
  await authorized;
  const { records } = await connection.query<{ Id: string }>(
    `SELECT Id FROM Contact WHERE Phone = ${quoted(lead.phone_number)} LIMIT 1`,
  );
  const name = { LastName: lead.name ?? 'Caller', Phone: lead.phone_number };
  let person = records[0]?.Id;
  if (person) await connection.sobject('Contact').update({ Id: person, Phone: lead.phone_number });
  else person = (await connection.sobject('Lead').create({ ...name, Company: '[not provided]' })).id as string;
  await connection.sobject('Task').create({
    WhoId: person,
    Subject: 'Call',
    TaskSubtype: 'Call',
    Status: 'Completed',
    Description: call.transcript ?? '',
  });
  await connection.sobject('Task').create({ WhoId: person, Subject: 'Call back' });
};
