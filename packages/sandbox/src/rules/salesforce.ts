import { documented, guessed, type RuleRow, recorded, rulesOf } from './rule.ts';

const REST = 'https://developer.salesforce.com/docs/platform/api-rest/guide';
const ATLAS = 'https://developer.salesforce.com/docs/atlas.en-us';
const CODES = documented(`${REST}/errorcodes.html`);
const CORE = documented(`${ATLAS}.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm`);
const COLLECTIONS = documented(`${ATLAS}.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm`);
const COMPOSITE = documented(`${ATLAS}.api_rest.meta/api_rest/resources_composite_composite.htm`);
const PARTS = documented(`${REST}/requests-composite.html`);
const PART_RESULTS = documented(`${ATLAS}.api_rest.meta/api_rest/resources_composite_subrequest_result.htm`);
const SOQL = documented('https://developer.salesforce.com/docs/platform/salesforce-soql-sosl');
const DUPLICATES = documented(`${ATLAS}.api_rest.meta/api_rest/headers_duplicaterules.htm`);
const TASK = documented(
  'https://developer.salesforce.com/docs/platform/object-reference/references/standard-objects/object-task.html',
);
const UPSERT = documented(`${ATLAS}.238.0.api_rest.meta/api_rest/resources_sobject_upsert_patch.htm`);
const METADATA = documented(`${ATLAS}.api_meta.meta/api_meta/customfield.htm`);
const DEPLOY = documented(`${ATLAS}.api_meta.meta/api_meta/file_based.htm`);
const TOKENS = documented('https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_flows.htm');
const LOCKS = 'https://help.salesforce.com/s/articleView?id=005226737&type=1';

const ROWS: RuleRow[] = [
  [
    'Requests',
    recorded('2012, 2024'),
    'Refusals are a list of code and message; those of a row or a field name the fields.',
  ],
  ['Requests', CODES, 'A session that is none is 401.', 'INVALID_SESSION_ID'],
  ['Requests', CODES, 'Versions of the API that are retired are 410.', 'UNSUPPORTED_API_VERSION'],
  ['Requests', recorded('2021, 2024'), 'An object, a path or a field that is not there is 404.', 'NOT_FOUND'],
  [
    'Requests',
    CODES,
    'A body of another content type is 415, one that cannot be read 400.',
    'UNSUPPORTED_MEDIA_TYPE',
    'JSON_PARSER_ERROR',
  ],
  [
    'Requests',
    documented('https://help.salesforce.com/s/articleView?id=000386264&type=1'),
    'URL and headers together have at most 16 KB; beyond it 414 with a page.',
  ],
  [
    'Requests',
    recorded('2021, 2022, 2024, 2026'),
    'Answers forbid sniffing and caching, and say how many requests of the day are used.',
  ],
  ['Requests', recorded('2021, 2022'), 'So do answers without a body, which say less.'],
  ['Requests', recorded('2026'), 'In the forms of 2026 an answer without a body says nothing of requests.'],
  ['Requests', recorded('2021, 2026'), 'Describes and records say when they were last changed.'],
  ['Requests', recorded('2022, 2024'), 'Beyond the requests of a day everything is 403.', 'REQUEST_LIMIT_EXCEEDED'],
  ['Requests', documented(`${REST}/resources-limits.html`), 'The limits say what is left of the day.'],
  ['Requests', CODES, 'The org’s own trouble is 503 or 500.', 'SERVER_UNAVAILABLE', 'UNKNOWN_EXCEPTION'],

  [
    'Tokens',
    recorded('2022, 2024'),
    'A token comes with the address of its org, the user’s, a moment and a signature.',
  ],
  ['Tokens', recorded('2012'), 'A grant that does not hold is 400.', 'invalid_grant'],
  [
    'Tokens',
    TOKENS,
    'Client credentials, refresh tokens and signed assertions are taken; an assertion lives three minutes.',
    'invalid_client',
    'invalid_client_id',
    'unsupported_grant_type',
    'invalid_request',
  ],
  [
    'Tokens',
    TOKENS,
    'A refresh token that rotates is good once, and of two uses at once one is refused.',
    'invalid_grant',
  ],

  ['Records', recorded('2021, 2024, 2026'), 'Creation is 201 with id and Location, a change or deletion 204.'],
  ['Records', recorded('2021'), 'Reading what was deleted is 404 like reading what never was.', 'NOT_FOUND'],
  ['Records', recorded('2024'), 'Changing or deleting what was deleted is 404.', 'ENTITY_IS_DELETED'],
  ['Records', recorded('2026'), 'An upsert says whether it created, and where the record is.'],
  ['Records', UPSERT, 'Before version 46 an upsert that changed was 204.'],
  [
    'Records',
    recorded('2012'),
    'A key that several records have is 300 with their addresses.',
    'DUPLICATE_EXTERNAL_ID',
  ],
  [
    'Records',
    UPSERT,
    'The key of an upsert must not stand in the body; an id that is unknown is not created.',
    'INVALID_FIELD',
    'MISSING_ARGUMENT',
  ],
  [
    'Records',
    CORE,
    'Upserts that overlap look first and write later: the later one meets the value of the earlier.',
    'DUPLICATE_VALUE',
  ],
  ['Records', CORE, 'A unique value that is taken names the record that has it.', 'DUPLICATE_VALUE'],
  ['Records', recorded('2025'), 'A permission set that a user has already is refused.', 'DUPLICATE_VALUE'],
  [
    'Records',
    documented(
      'https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_campaignmember.htm',
    ),
    'A lead or a contact is a member of a campaign once: a second time is refused, without the id of the first. Of both given only the contact counts.',
    'DUPLICATE_VALUE',
    'REQUIRED_FIELD_MISSING',
  ],
  ['Records', recorded('2021, 2025'), 'Fields that must be filled are named.', 'REQUIRED_FIELD_MISSING'],
  ['Records', recorded('2024, 2025'), 'A field that the object does not have is named in words.', 'INVALID_FIELD'],
  ['Records', recorded('2024'), 'A field that may not be written is named.', 'INVALID_FIELD_FOR_INSERT_UPDATE'],
  [
    'Records',
    CORE,
    'An object that cannot be written, or not be deleted, says so.',
    'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY',
    'INSUFFICIENT_ACCESS_OR_READONLY',
  ],
  ['Records', recorded('2021'), 'A converted lead is not changed any more.', 'CANNOT_UPDATE_CONVERTED_LEAD'],

  ['Values', recorded('2021, 2022'), 'An address that is none names its field.', 'INVALID_EMAIL_ADDRESS'],
  ['Values', recorded('2024'), 'An empty address is taken, and clears.'],
  ['Values', recorded('2022'), 'An id that is malformed names its field.', 'MALFORMED_ID'],
  ['Values', CORE, 'An id of another object than the field takes.', 'FIELD_INTEGRITY_EXCEPTION'],
  [
    'Values',
    recorded('2022'),
    'A record to refer to that is not there reads as missing access.',
    'INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY',
  ],
  [
    'Values',
    recorded('2026'),
    'A record to change that is not there reads as a wrong reference.',
    'INVALID_CROSS_REFERENCE_KEY',
  ],
  ['Values', CORE, 'A text that is too long, a number out of range.', 'STRING_TOO_LONG', 'NUMBER_OUTSIDE_VALID_RANGE'],
  ['Values', CORE, 'A value that a restricted picklist does not have.', 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST'],
  [
    'Values',
    guessed('Is a number taken as a text, and a check box as one?'),
    'A value of another JSON type than its field’s is refused.',
    'JSON_PARSER_ERROR',
  ],
  ['Values', CORE, 'An owner who has left.', 'INACTIVE_OWNER_OR_USER'],
  ['Values', CORE, 'What a validation rule of the org forbids.', 'FIELD_CUSTOM_VALIDATION_EXCEPTION'],
  ['Values', recorded('2021, 2026'), 'Moments are those of UTC with +0000, without milliseconds.'],
  [
    'Values',
    guessed('May TaskSubtype be updated?'),
    'The subtype of a task is chosen on its creation only.',
    'INVALID_FIELD_FOR_INSERT_UPDATE',
  ],
  ['Values', TASK, 'A task whose person is a lead relates to nothing else.', 'FIELD_INTEGRITY_EXCEPTION'],
  ['Values', TASK, 'A task of a contact belongs to the contact’s account.'],

  ['Collections', recorded('2018, 2021, 2026'), 'Rows answer in their order, each on its own.'],
  [
    'Collections',
    recorded('2018, 2025'),
    'With allOrNone one bad row takes the others back, which say so.',
    'ALL_OR_NONE_OPERATION_ROLLED_BACK',
  ],
  ['Collections', recorded('2025'), 'No row at all is 400.', 'REQUIRED_FIELD_MISSING'],
  ['Collections', COLLECTIONS, 'More than 200 rows are 400; 2,000 ids can be read.', 'EXCEEDED_ID_LIMIT'],
  [
    'Collections',
    documented(`${ATLAS}.api_rest.meta/api_rest/resources_composite_sobjects_collections_create.htm`),
    'Neighbouring rows of one object are a chunk; a request has ten at most.',
    'LIMIT_EXCEEDED',
  ],
  ['Collections', recorded('2025'), 'A row to change that has no id says so.', 'MISSING_ARGUMENT'],
  ['Collections', recorded('2026'), 'A row that does not say what it is cannot be read.', 'JSON_PARSER_ERROR'],
  [
    'Collections',
    COLLECTIONS,
    'A row of an object that there is none of, or of another than the path’s.',
    'INVALID_TYPE',
  ],
  [
    'Collections',
    guessed('Can a task be upserted by an external id that stands on Activity?'),
    'Tasks are upserted by an external id that stands on Activity.',
  ],
  ['Collections', UPSERT, 'A record may name another by that one’s external id.', 'INVALID_FIELD'],
  [
    'Collections',
    guessed('What does a collection say whose rows name one key twice?'),
    'A key or an id that two rows name refuses the later one.',
    'DUPLICATE_VALUE',
  ],

  [
    'Duplicate rules',
    recorded('2018, 2026'),
    'A row of a collection that a rule stopped does not say whom the rule found.',
    'DUPLICATES_DETECTED',
  ],
  [
    'Duplicate rules',
    recorded('2023'),
    'The refusal of a single record does, under a name that is misspelt.',
    'DUPLICATES_DETECTED',
  ],
  [
    'Duplicate rules',
    DUPLICATES,
    'A rule that only warns refuses unless a header allows it, from version 52 on.',
    'DUPLICATES_DETECTED',
  ],
  [
    'Duplicate rules',
    documented('https://help.salesforce.com/s/articleView?id=sales.duplicate_rules_standard_rules.htm'),
    'Standard rules compare names and one way to reach the person.',
  ],

  ['Locks', documented(LOCKS), 'A write holds its record and the record’s parents.'],
  ['Locks', documented(LOCKS), 'Another one that needs them waits until they are given back, for ten seconds at most.'],
  ['Locks', recorded('2020'), 'Then it is refused, and names the record.', 'UNABLE_TO_LOCK_ROW'],
  ['Locks', recorded('2015'), 'Where the record is not known, it names none.', 'UNABLE_TO_LOCK_ROW'],
  [
    'Locks',
    CORE,
    'The org’s own automation fails with too many rows of one request, and all of them with it.',
    'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY',
  ],
  [
    'Locks',
    documented(`${REST}/headers-autoassign.html`),
    'Assignment rules give records away unless a header forbids it.',
  ],

  [
    'Composite',
    COMPOSITE,
    'At most 25 parts, five of them queries and collections; references begin with a letter.',
    'LIMIT_EXCEEDED',
    'INVALID_INPUT',
  ],
  ['Composite', COMPOSITE, 'With allOrNone one refused part takes all back.', 'PROCESSING_HALTED'],
  [
    'Composite',
    documented(`${REST}/resources-composite-allornone.html`),
    'That holds for collections too, whatever their own allOrNone says: one refused row takes all parts back, and the rows of its own collection are answered as it asks. Without it each collection goes by its own.',
    'PROCESSING_HALTED',
    'ALL_OR_NONE_OPERATION_ROLLED_BACK',
  ],
  ['Composite', COMPOSITE, 'A part may name what an earlier one answered, in its spelling.', 'PROCESSING_HALTED'],
  [
    'Composite',
    PART_RESULTS,
    'A reference to what the answer does not have halts the part that names it; one to a field of a record that is empty is empty, from version 52 on.',
    'PROCESSING_HALTED',
  ],
  [
    'Composite',
    PARTS,
    'A part has authorization, content type and accepted type of the whole request and may not have its own; every other header it has of its own only.',
    'INVALID_INPUT',
  ],
  [
    'Composite',
    guessed('Can a collection refer to a row of another one within a composite request?'),
    'A row of a collection is named by its number.',
  ],
  [
    'Composite',
    guessed('What becomes of a row that refers to a row which failed?'),
    'A reference to a row that failed halts the whole part that names it, and none of its rows is written.',
    'PROCESSING_HALTED',
  ],
  [
    'Composite',
    guessed('Is /search allowed in a composite request?'),
    'A search does not stand in a composite request.',
    'NOT_FOUND',
  ],
  ['Composite', recorded('2026'), 'A graph is one transaction, and says whether it was successful.'],
  ['Composite', recorded('2026'), 'A batch answers each part with its status.', 'BATCH_PROCESSING_HALTED'],

  [
    'Records',
    documented(
      'https://developer.salesforce.com/docs/platform/object-reference/references/standard-objects/object-opportunity.html',
    ),
    'The contact with which an opportunity is made gets a role there, the primary one.',
  ],
  ['Queries', recorded('2017 to 2026'), 'A query gives its records with type and address of each.'],
  ['Queries', recorded('2022, 2026'), 'Beyond 2,000 records it says where the rest is.'],
  ['Queries', SOQL, 'An address of a rest that is none.', 'INVALID_QUERY_LOCATOR'],
  ['Queries', recorded('2017 to 2024'), 'An id that is none among the conditions.', 'INVALID_QUERY_FILTER_OPERATOR'],
  ['Queries', recorded('2024'), 'An object that there is none of.', 'INVALID_TYPE'],
  ['Queries', SOQL, 'A statement that cannot be read, or is too long.', 'MALFORMED_QUERY', 'QUERY_TOO_COMPLICATED'],
  ['Queries', recorded('2026'), 'queryAll gives what is deleted or archived too.'],
  [
    'Queries',
    documented(`${ATLAS}.262.0.api.meta/api/sforce_api_guidelines_archive.htm`),
    'Finished activities are archived after a year.',
  ],
  [
    'Queries',
    SOQL,
    'What the sandbox does not know it refuses with 501, so that it never seems to have had an effect.',
    'SANDBOX_UNSUPPORTED',
  ],

  ['Search', recorded('2026'), 'A search that finds nothing gives an empty list.'],
  ['Search', recorded('2012'), 'A statement without a term is 400.', 'MALFORMED_SEARCH'],
  [
    'Search',
    documented(
      'https://developer.salesforce.com/docs/platform/salesforce-soql-sosl/guide/sforce-api-calls-sosl-in.html',
    ),
    'Telephone numbers are found by their digits, national numbers and groups of digits.',
  ],
  ['Search', SOQL, 'Search sees a write after a while; above 4,000 characters its operators do nothing.'],

  ['Definitions', recorded('2021, 2022, 2026'), 'A describe says of each field what can be done with it.'],
  ['Definitions', DEPLOY, 'Fields are made by deploying a package, which goes on after its answer.'],
  [
    'Definitions',
    METADATA,
    'A field that was deployed is seen by those whom a permission set opens it to.',
    'INVALID_FULLNAME',
  ],
  ['Definitions', METADATA, 'Custom fields of tasks and events are those of Activity.'],
  [
    'Definitions',
    documented(`${ATLAS}.api.meta/api/sforce_api_guidelines_personaccounts.htm`),
    'Person accounts have a contact of their own, which stays theirs.',
    'INVALID_FIELD_FOR_INSERT_UPDATE',
  ],
];

export const SALESFORCE_RULES = rulesOf('Salesforce', ROWS);
