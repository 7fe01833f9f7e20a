/**
 * Outcomes of calls, as every account has them.
 * https://developers.hubspot.com/docs/api-reference/latest/crm/activities/calls/guide
 */
export const DISPOSITIONS: Record<string, string> = {
  Busy: '9d9162e7-6cf3-4944-bf63-4dff82258764',
  Connected: 'f240bbac-87c9-4f6e-bf70-924b57d47db7',
  'Left live message': 'a4c4c377-d246-4b32-a13b-75a56a4cd0ff',
  'Left voicemail': 'b2cf5968-551e-4856-9783-52b3da59a7d0',
  'No answer': '73a0d17f-1163-4015-bdd5-ec830791da20',
  'Wrong number': '17b47fee-58de-441e-a44c-c6300d46f273',
};
