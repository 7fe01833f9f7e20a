import { documented, guessed, type RuleRow, recorded, rulesOf } from './rule.ts';

const DOCS = 'https://developers.hubspot.com/docs';
const ERRORS = documented(`${DOCS}/api-reference/error-handling`);
const OBJECTS = documented(`${DOCS}/guides/crm/using-object-apis`);
const CRM = documented(`${DOCS}/api-reference/latest/crm/understanding-the-crm`);
const LIMITS = documented(`${DOCS}/developer-tooling/platform/usage-guidelines`);
const SEARCH = documented(`${DOCS}/api-reference/latest/crm/search-the-crm`);
const PROPERTIES = documented(`${DOCS}/api-reference/crm-properties-v3/guide`);
const LINKS = documented(`${DOCS}/api-reference/latest/crm/associations/associate-records/guide`);
const PIPELINES = documented(`${DOCS}/api-reference/latest/crm/pipelines/guide`);
const OAUTH = documented(`${DOCS}/api-reference/latest/authentication/manage-oauth-tokens`);
const VERSIONS = documented('https://developers.hubspot.com/changelog/introducing-date-based-api-versioning');
const REQUIRED = documented('https://developers.hubspot.com/changelog/crm-api-write-validation-enforcement');

const VALUE_CODES = guessed(
  'What is said to a date that is not at midnight, to an owner who has left, and to a property that only HubSpot sets?',
);

const ROWS: RuleRow[] = [
  ['Requests', VERSIONS, 'Paths of v3 and v4 and those by date answer alike, but for what is said here.'],
  ['Requests', recorded('2022'), 'Objects go by plural or singular name in any case, or by id.'],
  ['Requests', CRM, 'Custom objects go by id or by their fully qualified name only.'],
  ['Requests', recorded('2025'), 'An object that is none is 400, without a category.'],
  [
    'Requests',
    OBJECTS,
    'Leads, listings, services, appointments and courses are there once they are switched on in the account.',
  ],
  ['Requests', ERRORS, 'A body that cannot be read is 400 and names line and column, without a category.'],
  ['Requests', ERRORS, 'A body of another content type than JSON is 415.', 'VALIDATION_ERROR'],
  ['Requests', ERRORS, 'A token that is missing or unknown is 401.', 'INVALID_AUTHENTICATION'],
  [
    'Requests',
    recorded('2026'),
    'An OAuth token past its end is 401 and says when that was.',
    'EXPIRED_AUTHENTICATION',
  ],
  ['Requests', recorded('2026'), 'A missing scope is 403; scopes and a link stand in the context.', 'MISSING_SCOPES'],
  ['Requests', ERRORS, 'In the forms of 2022 and 2025 the scopes stand in a detail.', 'MISSING_SCOPES'],
  [
    'Requests',
    documented('https://developers.hubspot.com/scopes'),
    'Calls, tasks, notes and meetings open with the scopes of contacts.',
  ],
  ['Requests', OAUTH, 'A refresh token gives access tokens of thirty minutes, and may be replaced by each use.'],
  [
    'Requests',
    ERRORS,
    'Locked records are 423, an account that moves is 477 with Retry-After.',
    'LOCKED',
    'MIGRATION_IN_PROGRESS',
  ],
  [
    'Requests',
    recorded('2022, 2026'),
    'Every answer has a correlation id among its headers, every refusal in its body too.',
  ],

  ['Limits', LIMITS, '190 requests of one token in any ten seconds.'],
  [
    'Limits',
    recorded('2022'),
    'Beyond it 429 with the policy and the group, without a category.',
    'RATE_LIMIT',
    'TEN_SECONDLY_ROLLING',
  ],
  ['Limits', LIMITS, '625,000 requests a day; beyond it 429 with the policy.', 'RATE_LIMIT', 'DAILY'],
  ['Limits', LIMITS, 'Five searches of the account in any second.'],
  ['Limits', recorded('2022'), 'Beyond it 429 with a category and no policy.', 'RATE_LIMITS'],
  ['Limits', recorded('2023'), 'In the forms of 2025 the same with status 500.', 'RATE_LIMITS'],
  [
    'Limits',
    recorded('2022, 2026'),
    'Answers say what is left of ten seconds, of a second and, but for OAuth, of the day.',
  ],
  ['Limits', recorded('2022'), 'Answers of searches say what is left of the day only.'],
  ['Limits', OBJECTS, 'A batch has 1 to 100 inputs.', 'VALIDATION_ERROR'],
  [
    'Limits',
    LINKS,
    'A batch of associations has at most 2,000 inputs, 1,000 to read, 100 to take off.',
    'VALIDATION_ERROR',
  ],
  [
    'Limits',
    SEARCH,
    'A search has at most 3,000 characters, five groups, six filters each, eighteen in all, pages of 200 and 10,000 results.',
    'VALIDATION_ERROR',
  ],
  [
    'Limits',
    guessed('How long may a call body and a custom text be, and what is said beyond that?'),
    'Texts end at 65,536 characters, as documented for notes.',
    'VALUE_TOO_LONG',
  ],

  [
    'Batches',
    recorded('2022, 2025, 2026'),
    'The envelope has status, results, startedAt and completedAt, and errors with their number where there are some.',
  ],
  ['Batches', recorded('2022'), 'Results come neither in the order of the inputs nor in its reverse.'],
  [
    'Batches',
    recorded('2022, 2026'),
    'Creation is 201, reading, updates and upserts 200, archiving 204 whether or not the records were there.',
  ],
  [
    'Batches',
    recorded('2025'),
    'Where each input has a trace id of its own, a bad one is listed in a 207 and the others are written.',
  ],
  ['Batches', recorded('2025'), 'Otherwise one bad input fails the whole, and nothing is written.'],
  ['Batches', recorded('2025'), 'Errors name trace ids; what was written does not, on paths of v3.'],
  ['Batches', recorded('2026'), 'On paths by date what was written repeats its trace id.'],
  [
    'Batches',
    recorded('2025'),
    'Ids to update that are not there are one entry of a 207, with or without trace ids.',
    'OBJECT_NOT_FOUND',
  ],
  ['Batches', OBJECTS, 'So are ids to read.', 'OBJECT_NOT_FOUND'],
  ['Batches', recorded('2025'), 'An id that comes twice is 400 and named.', 'VALIDATION_ERROR'],
  ['Batches', OBJECTS, 'A field that an input does not know is refused.'],

  [
    'Values',
    recorded('2022, 2025'),
    'Wrong values are 400; their details stand as JSON in the message.',
    'VALIDATION_ERROR',
  ],
  ['Values', recorded('2025'), 'Since 2025 the details of a whole refusal stand in errors too.'],
  ['Values', recorded('2025'), 'Those of one row stand in its message only.'],
  ['Values', recorded('2025'), 'A property that the object does not have.', 'PROPERTY_DOESNT_EXIST'],
  ['Values', recorded('2022'), 'A date and time that is none.', 'INVALID_LONG'],
  ['Values', recorded('2025'), 'A number that is none.', 'INVALID_INTEGER'],
  ['Values', ERRORS, 'A value that is not among the options.', 'INVALID_OPTION'],
  ['Values', ERRORS, 'An address that is none.', 'INVALID_EMAIL'],
  ['Values', VALUE_CODES, 'A date that is not at midnight UTC.', 'INVALID_DATE'],
  ['Values', VALUE_CODES, 'A property that only HubSpot sets.', 'READ_ONLY_VALUE'],
  ['Values', VALUE_CODES, 'An owner who is none or has left.', 'INVALID_OWNER_ID'],
  ['Values', PIPELINES, 'A stage of another pipeline.', 'INVALID_OPTION'],
  [
    'Values',
    REQUIRED,
    'From 2026-09 on, what an administrator made required must be there.',
    'MISSING_REQUIRED_PROPERTY',
    'MISSING_CONDITIONAL_REQUIRED_PROPERTY',
  ],
  [
    'Values',
    OBJECTS,
    'A record needs the properties of its object: of contacts one of e-mail, first and last name.',
    'VALIDATION_ERROR',
  ],
  [
    'Values',
    documented(`${DOCS}/api-reference/crm-leads-v3/guide`),
    'A lead is created with a link to a contact or a company; by an upsert, which takes no links, it is not created.',
    'VALIDATION_ERROR',
  ],
  ['Values', PROPERTIES, 'An empty text clears; check boxes add to what is chosen with a semicolon in front.'],
  [
    'Values',
    guessed('Does a lifecycle stage move back?'),
    'A lifecycle stage moves forward only, and an earlier one is left out without a word.',
  ],

  ['Writing', recorded('2021'), 'A second contact with an address is 409 and names the first in words.', 'CONFLICT'],
  [
    'Writing',
    recorded('2025'),
    'Since 2025 a row of a batch names it in the context, and the refusal of a whole batch names none.',
    'CONFLICT',
  ],
  [
    'Writing',
    guessed('What does a creation say whose unique value another record has?'),
    'Another unique value that is taken is 400 and names both records in words.',
    'VALIDATION_ERROR',
  ],
  ['Writing', recorded('2026'), 'An upsert by a unique property says of each record whether it is new.'],
  [
    'Writing',
    guessed(
      'Do calls and tasks take batch/upsert by a custom unique property? Can a contact be made by one, with neither address nor name?',
    ),
    'Calls and tasks are upserted by a custom unique property like other objects.',
  ],
  [
    'Writing',
    guessed('Do upserts of one new key at once make one record?'),
    'Upserts that overlap look first and write later: the later one meets the value of the earlier and is refused.',
  ],
  ['Writing', OBJECTS, 'An upsert by e-mail succeeds or fails as a whole.'],
  ['Writing', recorded('2026'), 'An upsert or update by a property that is not unique is 400.', 'VALIDATION_ERROR'],
  ['Writing', recorded('2022, 2025, 2026'), 'A creation answers all that the record holds.'],
  [
    'Writing',
    recorded('2022, 2025, 2026'),
    'An update answers what was written, id and times; of contacts in 2022 only when they changed.',
  ],
  ['Writing', recorded('2022'), 'A single creation has a Location header.'],
  ['Writing', recorded('2022, 2026'), 'Moments have milliseconds only where they are not zero.'],
  ['Writing', recorded('2025, 2026'), 'Records carry the address under which people open them; not in 2022.'],
  [
    'Writing',
    guessed('Does an archived call free its unique value, and what does an upsert do then?'),
    'An archived record frees its unique values.',
  ],
  [
    'Writing',
    documented('https://knowledge.hubspot.com/contacts/how-do-i-merge-contacts'),
    'A merged record gives the winner what it lacked and its addresses, and its id is gone.',
  ],

  ['Reading', OBJECTS, 'A record that is not there, archived or merged away is 404.', 'OBJECT_NOT_FOUND'],
  ['Reading', recorded('2022, 2026'), 'A record shows what was asked for, empty as null, its id and its times.'],
  ['Reading', OBJECTS, 'Names that the object does not have are left out.'],
  ['Reading', recorded('2022, 2026'), 'A list says where its next page is.'],
  ['Reading', SEARCH, 'Search sees a write after a while, and an archived record for a while still.'],
  ['Reading', recorded('2022'), 'What it finds by an earlier value it shows as it is now.'],
  [
    'Reading',
    SEARCH,
    'Telephone numbers are found by area code and local number, in properties that HubSpot computes.',
  ],
  ['Reading', SEARCH, 'Text search looks through the searchable properties of each object.'],
  [
    'Reading',
    PIPELINES,
    'Pipelines are listed with their stages: those of deals say whether they close a deal and how probable it is, those of tickets whether they are open.',
  ],
  ['Reading', recorded('2026'), 'Owners have two user ids; of those who left one is empty.'],
  [
    'Reading',
    recorded('2025, 2026'),
    'The account gives its id, time zone and where its pages are, whatever the scopes.',
  ],
  [
    'Reading',
    documented(`${DOCS}/api-reference/latest/crm/activities/calls/guide`),
    'Outcomes of calls are listed with their ids.',
  ],

  ['Associations', recorded('2022, 2026'), 'Linking is 201 and gives ids of records as numbers.'],
  [
    'Associations',
    recorded('2022'),
    'An end that is not there is a row of a 207, named in its message only.',
    'VALIDATION_ERROR',
  ],
  [
    'Associations',
    recorded('2026'),
    'So are an id that is none, and a record linked to itself.',
    'VALIDATION_ERROR',
    'crm.associations.INVALID_IDENTIFIER',
  ],
  [
    'Associations',
    recorded('2026'),
    'A record without links is a row of a 207.',
    'OBJECT_NOT_FOUND',
    'crm.associations.NO_ASSOCIATIONS_FOUND',
  ],
  ['Associations', LINKS, 'Of one record an answer lists 500 links, and where the next ones begin.'],
  ['Associations', recorded('2022'), 'Taking links off is 204, whether or not there were any.'],
  [
    'Associations',
    guessed('What is said to an association type that is none, and to a creation that links to nothing?'),
    'A number that is no type between two objects is 400, and so is a creation with a link to a record that is not there.',
    'VALIDATION_ERROR',
    'crm.associations.INVALID_ASSOCIATION_TYPE',
  ],
  [
    'Associations',
    guessed('What does batch/associate/default answer, with and without a bad row?'),
    'Linking without a type gives both directions and is 200, bad rows listed in errors or not.',
  ],
  [
    'Associations',
    LINKS,
    'A label brings the plain link along; labels that are not named are taken off; one company is primary.',
  ],
  ['Associations', LINKS, 'Types have a number in each direction; labels of an account begin beyond HubSpot’s own.'],

  [
    'Definitions',
    recorded('2025, 2026'),
    'A property on its own has its times and whether it is archived; in a batch it has neither.',
  ],
  [
    'Definitions',
    recorded('2025, 2026'),
    'Since 2025 a property says how sensitive it is and which users made and changed it.',
  ],
  [
    'Definitions',
    documented(`${DOCS}/api-reference/latest/crm/objects/schemas/guide`),
    'An object says by what ids and names it goes, and which properties a record needs.',
  ],
  [
    'Definitions',
    recorded('2026'),
    'A name that is taken is a row of a 207.',
    'OBJECT_ALREADY_EXISTS',
    'Properties.PROPERTY_WITH_NAME_EXISTS',
  ],
  [
    'Definitions',
    PROPERTIES,
    'Defined alone it is 409.',
    'OBJECT_ALREADY_EXISTS',
    'Properties.PROPERTY_WITH_NAME_EXISTS',
  ],
  [
    'Definitions',
    PROPERTIES,
    'A property that is not there is 404.',
    'OBJECT_NOT_FOUND',
    'Properties.PROPERTY_NOT_FOUND',
  ],
  ['Definitions', recorded('2026'), 'Groups are made and read by name.'],
  [
    'Definitions',
    PROPERTIES,
    'A group whose name is taken is 409.',
    'OBJECT_ALREADY_EXISTS',
    'Properties.PROPERTY_GROUP_WITH_NAME_EXISTS',
  ],
  ['Definitions', PROPERTIES, 'Names, types, field types and options follow the guide.', 'VALIDATION_ERROR'],
  [
    'Definitions',
    PROPERTIES,
    'At most ten properties of an object are unique, texts and numbers only, and that cannot be changed.',
    'VALIDATION_ERROR',
  ],
  ['Definitions', PROPERTIES, 'An archived property comes back with its name.'],
];

export const HUBSPOT_RULES = rulesOf('HubSpot', ROWS);
