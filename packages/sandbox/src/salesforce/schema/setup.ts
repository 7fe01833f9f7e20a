/** Objects that tell how the org is set up: read only, but for users' part in the records. */
import { createOnly, email, flag, integer, readOnly, reference, required, text } from './field.ts';
import { type SObject, setup, sobject } from './sobject.ts';

const label = [
  text('MasterLabel', 'Master Label', 255, readOnly),
  text('ApiName', 'API Name', 255, readOnly),
  integer('SortOrder', 'Sort Order', readOnly),
  flag('IsDefault', 'Is Default', readOnly),
];
const closed = flag('IsClosed', 'Is Closed', readOnly);

export function setupObjects(): SObject[] {
  return [
    sobject(
      'User',
      'User',
      '005',
      [
        text('Username', 'Username', 80, { ...readOnly, ...required, idLookup: true }),
        text('LastName', 'Last Name', 80, { ...readOnly, ...required }),
        text('FirstName', 'First Name', 40, readOnly),
        text('Name', 'Full Name', 121, { ...readOnly, nameField: true }),
        email('Email', 'Email', { ...readOnly, idLookup: true }),
        flag('IsActive', 'Active', readOnly),
        text('UserType', 'User Type', 40, readOnly),
        text('TimeZoneSidKey', 'Time Zone', 40, readOnly),
      ],
      setup,
    ),
    sobject(
      'Group',
      'Group',
      '00G',
      [text('Name', 'Name', 40, { ...readOnly, nameField: true }), text('Type', 'Type', 40, readOnly)],
      setup,
    ),
    sobject(
      'Organization',
      'Organization',
      '00D',
      [
        text('Name', 'Name', 80, { ...readOnly, nameField: true }),
        text('OrganizationType', 'Edition', 40, readOnly),
        flag('IsSandbox', 'Is Sandbox', readOnly),
        text('InstanceName', 'Instance Name', 5, readOnly),
        text('TimeZoneSidKey', 'Time Zone', 40, readOnly),
        text('DefaultLocaleSidKey', 'Locale', 40, readOnly),
      ],
      setup,
    ),
    sobject(
      'PermissionSet',
      'Permission Set',
      '0PS',
      [
        text('Name', 'Permission Set Name', 80, { ...readOnly, nameField: true }),
        text('Label', 'Permission Set Label', 80, readOnly),
      ],
      setup,
    ),
    sobject(
      'PermissionSetAssignment',
      'Permission Set Assignment',
      '0Pa',
      [
        reference('AssigneeId', 'Assignee ID', ['User'], { ...createOnly, ...required }),
        reference('PermissionSetId', 'PermissionSet ID', ['PermissionSet'], { ...createOnly, ...required }),
      ],
      { updateable: false, searchable: false },
    ),
    sobject('TaskStatus', 'Task Status Value', '01T', [...label, closed], setup),
    sobject('LeadStatus', 'Lead Status Value', '01Q', [...label, flag('IsConverted', 'Is Converted', readOnly)], setup),
    sobject('CaseStatus', 'Case Status Value', '01X', [...label, closed], setup),
    sobject(
      'OpportunityStage',
      'Opportunity Stage',
      '01J',
      [...label, closed, flag('IsWon', 'Is Won', readOnly), flag('IsActive', 'Is Active', readOnly)],
      setup,
    ),
  ];
}
