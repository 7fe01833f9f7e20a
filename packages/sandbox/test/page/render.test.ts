/** The page for people: what was written, in their words, and never as HTML of a caller's making. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { PATIENCE } from '../../../../test/support/patience.ts';
import { toPlainText } from '../../src/page/plain-text.ts';
import { aCall, sandboxForFile, send } from '../support/sandbox.ts';

const sandbox = await sandboxForFile();
const page = async () => (await fetch(sandbox.url)).text();

const EVIL = '<script>alert(1)</script><img src=x onerror=alert(2)>';

function seedTimeline() {
  const { contacts = [] } = sandbox.control.seed({
    records: {
      contacts: [
        {
          properties: {
            firstname: 'Ada',
            lastname: EVIL,
            phone: '+14155550123',
            hs_lead_status: 'ATTEMPTED_TO_CONTACT',
          },
        },
      ],
    },
  });
  sandbox.control.seed({
    records: {
      calls: [
        {
          properties: aCall('a', {
            hs_call_title: `Outbound call ${EVIL}`,
            hs_call_body: `<p>Wants <b>40 seats</b> &amp; a quote</p><p>${EVIL}</p>&lt;script&gt;alert(3)&lt;/script&gt;`,
            hs_call_disposition: 'f240bbac-87c9-4f6e-bf70-924b57d47db7',
            hs_call_duration: '204000',
            hs_call_recording_url: 'javascript:alert(4)',
          }),
          associations: { contacts },
        },
        { properties: aCall('loose', { hs_call_title: 'Nobody known' }) },
      ],
      tasks: [
        {
          properties: {
            hs_timestamp: '2026-11-24T09:00:00Z',
            hs_task_subject: 'Call back',
            hs_task_status: 'NOT_STARTED',
          },
          associations: { contacts },
        },
      ],
    },
  });
}

test('a timeline tells outcome, duration, text and what is due, in words', async () => {
  seedTimeline();
  const text = await page();
  expect(text).toContain('Ada');
  expect(text).toContain('Attempted to Contact');
  expect(text).toContain('>Connected</span>');
  expect(text).not.toContain('f240bbac');
  expect(text).toContain('3 min 24 s');
  expect(text).toContain('Wants 40 seats &amp; a quote');
  expect(text).toContain('due 24 Nov 2026, 09:00 UTC');
  expect(text.indexOf('Nobody known')).toBeGreaterThan(text.indexOf('Without a person'));
});

function seedOrg() {
  const { Contact = [], Lead = [] } = sandbox.control.seed({
    salesforce: {
      records: {
        Contact: [{ FirstName: 'Grace', LastName: `Hopper ${EVIL}`, Phone: '+14155550124' }],
        Lead: [
          {
            FirstName: 'Alan',
            LastName: 'Turing',
            Company: 'Bombe',
            Status: 'Working - Contacted',
            Wrapup_Key__c: 'person:1',
          },
          { LastName: 'Gone', Company: 'x', IsConverted: true },
        ],
      },
    },
  });
  sandbox.control.seed({
    salesforce: {
      records: {
        Task: [
          {
            Subject: 'Inbound call',
            WhoId: Contact[0],
            TaskSubtype: 'Call',
            CallType: 'Inbound',
            CallDurationInSeconds: 204,
            CallDisposition: 'Connected',
            Status: 'Completed',
            Description: `Wants 40 seats ${EVIL}`,
            Wrapup_Call_Id__c: 'main:1',
          },
          { Subject: 'Call back', WhoId: Lead[0], ActivityDate: '2026-11-24' },
          { Subject: 'Nobody known in the org' },
        ],
      },
    },
  });
}

test('leads, contacts and tasks of Salesforce are shown beside, in words', async () => {
  expect(await page()).not.toContain('Salesforce');
  seedOrg();
  expect(await page()).not.toContain('HubSpot');
  seedTimeline();
  const text = await page();
  for (const part of [
    'A local HubSpot',
    'a local Salesforce',
    'Lead 00Q',
    'Contact 003',
    'Alan Turing',
    'Working - Contacted',
  ]) {
    expect(text).toContain(part);
  }
  expect(text).toContain('3 min 24 s');
  expect(text).toContain('due 2026-11-24');
  expect(text).toContain('>Converted</span>');
  expect(text).toContain('<b>2</b> leads');
  expect(text.indexOf('Nobody known in the org')).toBeGreaterThan(text.lastIndexOf('Without a person'));
  expect(text.match(/<script/g)).toHaveLength(1);
  expect(text).not.toContain('<img');
});

test('an address of a record, as the vendors write it, leads to its place on the page', async () => {
  const { contacts = [], calls = [] } = sandbox.control.seed({
    records: { contacts: [{ properties: { firstname: 'Bea' } }], calls: [{ properties: aCall('link') }] },
  });
  const open = async (path: string) => {
    const { status, headers } = await fetch(`${sandbox.url}${path}`, { redirect: 'manual' });
    return [status, headers.get('location')];
  };
  const text = await page();
  for (const [path, anchor] of [
    [`/contacts/24680135/record/0-1/${contacts[0]}`, `contact-${contacts[0]}`],
    [`/contacts/24680135/record/0-48/${calls[0]}`, `call-${calls[0]}`],
  ]) {
    expect(await open(path ?? '')).toEqual([302, `/#${anchor}`]);
    expect(text).toContain(`id="${anchor}"`);
  }
  const [{ Id = '' } = {}] = sandbox.salesforce.records('Lead') as { Id?: string }[];
  expect(await open(`/salesforce/${Id || '00Q000000000001AAA'}`)).toEqual([302, `/#${Id || '00Q000000000001AAA'}`]);
});

test('nothing of a caller becomes HTML', async () => {
  seedTimeline();
  const text = await page();
  expect(text.match(/<script/g)).toHaveLength(1);
  expect(text).not.toContain('<img');
  expect(text).toContain('&lt;script&gt;alert(3)&lt;/script&gt;');
  expect(text).not.toContain('javascript:');
});

test('it is served with nothing but its own files allowed', async () => {
  const { headers } = await fetch(sandbox.url);
  expect(headers.get('content-security-policy')).toContain("default-src 'self'");
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  const text = await page();
  for (const [, file] of text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)) {
    expect((await fetch(`${sandbox.url}${file}`)).status).toBe(200);
  }
  expect(text).not.toMatch(/ style=|<style|https?:\/\//);
});

test('requests are counted at the top, and waiting faults shown', async () => {
  await send(sandbox, 'GET', '/crm/v3/objects/contacts/1');
  sandbox.control.fault({ kind: 'locked' });
  const text = await page();
  expect(text).toContain('<b>1</b> API request<');
  expect(text).toContain('<b>1</b> refused or failed');
  expect(text).toContain('<b>1</b> fault waiting');
});

test('an empty account says how to begin', async () => {
  expect(await page()).toContain('No one in HubSpot yet');
});

test.each([
  ['<p>One</p><p>Two<br>Three</p>', 'One\nTwo\nThree'],
  ['<ul><li>a</li><li>b</li></ul>', '• a\n• b'],
  ['1 < 2 &amp;&amp; 3 &gt; 2', '1 < 2 && 3 > 2'],
  ['<constructor>x</constructor>', 'x'],
  ['&#x41;&#66;&#9999999;&unknown;', 'AB&#9999999;&unknown;'],
  ['<b', '<b'],
])('%s reads %s', (rich, plain) => {
  expect(toPlainText(rich)).toBe(plain);
});

test('a text of nothing but brackets is read at once', () => {
  expect(toPlainText('<'.repeat(65_536))).toHaveLength(65_536);
});

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

test.skipIf(!CHROMIUM)('a browser shows it, runs nothing of it, and sees what comes next by itself', async () => {
  seedTimeline();
  const browser = await chromium.launch({ executablePath: CHROMIUM as string, args: ['--no-sandbox'] });
  try {
    const tab = await browser.newPage();
    const complaints: string[] = [];
    tab.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    tab.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    tab.on('pageerror', (error) => complaints.push(error.message));
    await tab.goto(sandbox.url);
    expect(await tab.locator('.person h2').innerText()).toContain('Ada');
    sandbox.control.seed({ records: { contacts: [{ properties: { firstname: 'Grace' } }] } });
    await tab.getByRole('heading', { name: 'Grace' }).waitFor({ timeout: PATIENCE });
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
  }
});
