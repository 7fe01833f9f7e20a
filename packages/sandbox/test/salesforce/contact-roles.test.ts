/** Who has a part in an opportunity. */
import { expect, test } from 'vitest';
import { connectionTo, sandboxForFile } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();

test('the contact with which an opportunity is made has the primary role there, until it is deleted', async () => {
  const connection = await connectionTo(sandbox);
  const { Contact: [ada = '', ben = ''] = [] } = sandbox.control.seed({
    salesforce: { records: { Contact: [{ LastName: 'Lovelace' }, { LastName: 'Babbage' }] } },
  });
  const { id = '' } = await connection
    .sobject('Opportunity')
    .create({ Name: 'One', StageName: 'Prospecting', CloseDate: '2026-12-31', ContactId: ada });
  await connection.sobject('OpportunityContactRole').create({ OpportunityId: id, ContactId: ben, Role: 'Other' });
  const roles = async () => {
    const soql = `SELECT ContactId, IsPrimary, Opportunity.IsClosed FROM OpportunityContactRole WHERE ContactId IN ('${ada}', '${ben}') AND Opportunity.IsClosed = false ORDER BY Opportunity.CreatedDate DESC, IsPrimary DESC`;
    const { records } = await connection.query(soql);
    return records.map(({ ContactId, IsPrimary }) => [ContactId, IsPrimary]);
  };
  expect(await roles()).toEqual([
    [ada, true],
    [ben, false],
  ]);
  await connection.sobject('Opportunity').delete(id);
  expect(await roles()).toEqual([]);
});
