/** Custom fields and objects that come by a deployment, through the vendor's own client, and who sees them then. */
import { zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { ask, connectionTo, sandboxForFile } from '../support/sandbox.ts';

const sandbox = await sandboxForFile({ provisioned: false, settings: { salesforce: { race_window: 0 } } });

const NAMESPACE = 'xmlns="http://soap.sforce.com/2006/04/metadata"';
const KEY = '<externalId>true</externalId><unique>true</unique><caseSensitive>true</caseSensitive>';
const textField = (name: string, more = KEY) =>
  `<fields><fullName>${name}</fullName><label>Key</label><type>Text</type><length>255</length>${more}</fields>`;
const open = (field: string) =>
  `<fieldPermissions><editable>true</editable><field>${field}</field><readable>true</readable></fieldPermissions>`;

function zip(files: Record<string, string>): Buffer {
  return Buffer.from(
    zipSync(Object.fromEntries(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]))),
  );
}

function manifest(types: Record<string, string[]>): string {
  const lists = Object.entries(types).map(
    ([name, members]) =>
      `<types>${members.map((one) => `<members>${one}</members>`).join('')}<name>${name}</name></types>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?><Package ${NAMESPACE}>${lists.join('')}<version>66.0</version></Package>`;
}

const WHOLE = {
  'package.xml': manifest({
    CustomField: ['Activity.Key__c', 'Lead.Key__c'],
    CustomObject: ['Voice_Call__c'],
    PermissionSet: ['Keys'],
  }),
  'objects/Activity.object': `<CustomObject ${NAMESPACE}>${textField('Key__c')}</CustomObject>`,
  'objects/Lead.object': `<CustomObject ${NAMESPACE}>${textField('Key__c')}</CustomObject>`,
  'objects/Voice_Call__c.object': `<CustomObject ${NAMESPACE}><label>Voice Call</label><pluralLabel>Voice Calls</pluralLabel><nameField><label>Name</label><type>Text</type></nameField><deploymentStatus>Deployed</deploymentStatus><sharingModel>ReadWrite</sharingModel>${textField('Key__c')}</CustomObject>`,
  'permissionsets/Keys.permissionset': `<PermissionSet ${NAMESPACE}><label>Keys</label>${open('Task.Key__c')}${open('Lead.Key__c')}${open('Voice_Call__c.Key__c')}</PermissionSet>`,
};

test.each(['deploy', 'deployRest'] as const)(
  '%s makes fields, which are seen once their permission set is assigned',
  async (how) => {
    const org = connectionTo(sandbox);
    const { id } = (await org.metadata[how](zip(WHOLE), { rollbackOnError: true, singlePackage: true })) as {
      id: string;
    };
    const result = await org.metadata.checkDeployStatus(id, true, how === 'deployRest');
    expect(result).toMatchObject({ done: true, success: true, status: 'Succeeded', numberComponentsTotal: 4 });
    const names = async (object: string) => (await org.sobject(object).describe()).fields.map(({ name }) => name);
    expect(await names('Task')).not.toContain('Key__c');
    const [set] = (await org.query("SELECT Id FROM PermissionSet WHERE Name = 'Keys'")).records;
    const assigned = { AssigneeId: sandbox.salesforce.userId, PermissionSetId: set?.Id };
    expect((await ask(sandbox, 'POST', '/sobjects/PermissionSetAssignment', assigned)).status).toBe(201);
    for (const object of ['Task', 'Event', 'Lead', 'Voice_Call__c']) expect(await names(object)).toContain('Key__c');
    expect(await org.sobject('Task').upsert([{ Key__c: 'a' }], 'Key__c')).toMatchObject([{ created: true }]);
    expect(await org.sobject('Voice_Call__c').upsert([{ Key__c: 'a' }], 'Key__c')).toMatchObject([{ created: true }]);
  },
);

test('a mistake fails all of it and says where', async () => {
  const org = connectionTo(sandbox);
  const wrong = {
    ...WHOLE,
    'objects/Lead.object': `<CustomObject ${NAMESPACE}><fields><fullName>Key__c</fullName><label>Key</label><type>Text</type></fields></CustomObject>`,
  };
  const { id } = (await org.metadata.deploy(zip(wrong), {})) as { id: string };
  const result = await org.metadata.checkDeployStatus(id, true);
  expect(result).toMatchObject({ done: true, success: false, status: 'Failed', numberComponentErrors: 1 });
  expect([result.details?.componentFailures].flat()[0]).toMatchObject({
    fullName: 'Lead.Key__c',
    problem: expect.stringContaining("'length'"),
  });
  expect(
    await org
      .sobject('Activity')
      .describe()
      .catch(() => undefined),
  ).toBeUndefined();
  const nameless = (await org.metadata.deploy(zip({ 'x.txt': 'x' }), {})) as { id: string };
  expect(await org.metadata.checkDeployStatus(nameless.id)).toMatchObject({
    status: 'Failed',
    errorMessage: 'No package.xml found',
  });
});

test('a check changes nothing', async () => {
  const org = connectionTo(sandbox);
  const { id } = (await org.metadata.deploy(zip(WHOLE), { checkOnly: true })) as { id: string };
  expect(await org.metadata.checkDeployStatus(id)).toMatchObject({ success: true, checkOnly: true });
  expect((await ask(sandbox, 'GET', '/sobjects/Voice_Call__c/describe')).status).toBe(404);
});
