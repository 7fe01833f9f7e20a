import { expect, test } from 'vitest';
import { describeErrors } from '../src/errors/reference.ts';

// `npx vitest run packages/salesforce/test/error-reference.test.ts -u` writes it anew.
test('the reference in docs is the error table', async () => {
  await expect(describeErrors()).toMatchFileSnapshot('../../../docs/reference/salesforce-errors.md');
});
