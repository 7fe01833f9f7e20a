import { basename } from 'node:path';
import type { Source } from '@wrapup/config';
import express, { type Request, type Response, Router } from 'express';
import { type PageNotice, renderMessage, sendPage, sendPart } from '../../pages/layout.ts';
import { renderWorkbenchResult } from '../../pages/workbench/result.ts';
import { renderWorkbench, type WorkbenchPage } from '../../pages/workbench/workbench-page.ts';
import { scopeOf } from '../../security/client-scope.ts';
import { hasRight, roleOf } from '../../security/rights.ts';
import { editorSchemaOf } from '../../workbench/editor-schema.ts';
import type { Evaluator } from '../../workbench/evaluator.ts';
import {
  FIRST_SAMPLE,
  FIRST_TEXT,
  findSample,
  listSamples,
  type Sample,
  type SampleGroup,
} from '../../workbench/samples.ts';
import type { HandlerParts } from '../handler-parts.ts';
import { noteLook } from '../operator.ts';
import { fieldOf, queryOf } from '../request.ts';
import { type Bench, chooseSource, NotedLooks, openBench, openCall, ownerOf, textOf } from './read-request.ts';
import { type OnBench, type Worked, work } from './work.ts';
import { mayWrite, writeEdited } from './write.ts';

/** A payload with a long transcript fits; the limit keeps a mistaken paste from blocking the process. */
const LIMIT = '5mb';

export interface WorkbenchParts extends HandlerParts {
  evaluator: Evaluator;
  /** The installation allows that mappings are written from here. */
  writesMappings: boolean;
}

/**
 * `/playground`, the workbench: a call and a mapping, evaluated as the worker would, without storing anything. The CRM is only read,
 * and only when that is asked for; a payload of the ledger only for who may look people up; each with a line in log and audit.
 * `/playground/write` alone changes something: the file of a mapping, where the installation allows it.
 */
export function workbenchRoutes(parts: WorkbenchParts): Router {
  const { store, config, log, writesMappings } = parts;
  const router = Router();
  const form = express.urlencoded({ extended: false, limit: LIMIT });
  const looks = new NotedLooks();

  /** The whole page, or what a script of it asked for. */
  function send(
    request: Request,
    response: Response,
    on: Shown,
    { worked, notice }: { worked?: Worked | undefined; notice?: PageNotice | undefined },
  ): void {
    if (worked && fieldOf(request, 'part') === 'result') {
      sendPart(response, renderWorkbenchResult(worked.result));
      return;
    }
    const { bench } = on;
    const { place, route, installed } = bench;
    const role = roleOf(response);
    const samples = place ? listSamples(place, mayWrite(response, bench)) : [];
    const text = on.text ?? installed?.text;
    const page: WorkbenchPage = {
      routes: bench.config.routes.map(({ name }) => name),
      ...{ route: route?.name, sources: bench.sources, source: on.source?.name, samples },
      sample: on.sample?.id,
      given: on.given,
      isEdited: isEdited(on, samples),
      ...(place && text !== undefined
        ? { mapping: { path: place.path, text, digest: on.digest ?? installed?.digest ?? '' } }
        : {}),
      testName: fieldOf(request, 'test_name') ?? on.sample?.label ?? 'as the workbench had it',
      may: {
        lookUp: hasRight(role, 'look_up'),
        write: writesMappings && hasRight(role, 'configure') && mayWrite(response, bench),
      },
      asked: on.asked,
      result: worked?.result,
    };
    sendPage(response, {
      ...{ title: 'Workbench', at: '/playground', extra: 'workbench', notice },
      body: renderWorkbench(page),
    });
  }

  router.get('/playground/schema', (request, response) => {
    const { config: narrowed, route } = openBench(config(), scopeOf(response), queryOf(request, 'route'));
    const schema = route && editorSchemaOf(narrowed, route);
    if (schema === undefined) return void response.status(404).json({});
    response.type('application/schema+json').send(schema);
  });

  router.get('/playground', async (request, response) => {
    const bench = openBench(config(), scopeOf(response), queryOf(request, 'route'));
    const samples = bench.place ? listSamples(bench.place, mayWrite(response, bench)) : [];
    const sample = findSample(samples, queryOf(request, 'sample')) ?? findSample(samples, FIRST_SAMPLE);
    const call_id = queryOf(request, 'call');
    const asked = call_id === undefined ? undefined : { call_id, source: queryOf(request, 'source') };
    const source = chooseSource(bench, undefined);
    const given = { text: sample?.text ?? FIRST_TEXT };
    const worked =
      source && (await work(parts, request, response, { bench, source, call: given, text: bench.installed?.text }));
    send(request, response, { bench, source, given, sample, asked }, { worked });
  });

  router.post('/playground', form, async (request, response) => {
    const on = await readText(request, response);
    if (on) await finish(request, response, on);
  });

  router.post('/playground/call', form, async (request, response) => {
    const on = await readStored(request, response);
    if (on) await finish(request, response, on);
  });

  router.post('/playground/write', form, async (request, response) => {
    if (!writesMappings) {
      const why = ['This installation does not allow it: DASHBOARD_WRITES_MAPPINGS is not set.'];
      return void response.status(404).send(renderMessage('No mapping is written from here', why));
    }
    const on = fieldOf(request, 'call_id') ? await readStored(request, response) : await readText(request, response);
    if (!on) return;
    const worked = await work(parts, request, response, on);
    const digest = fieldOf(request, 'digest') ?? '';
    const outcome = await writeEdited(parts, request, response, on, { worked, digest });
    const bench = openBench(config(), scopeOf(response), on.bench.route?.name);
    response.status(outcome.status);
    const after = outcome.digest === undefined ? worked : await work(parts, request, response, { ...on, bench });
    send(
      request,
      response,
      { ...on, bench, digest: outcome.digest ?? digest },
      { worked: after, notice: outcome.notice },
    );
  });

  /** What the button that was pressed asks for. */
  async function finish(request: Request, response: Response, on: Shown & OnBench): Promise<void> {
    const wants = fieldOf(request, 'do');
    const { place } = on.bench;
    if (wants === 'mapping-file' && place && on.text !== undefined) return sendFile(response, place.path, on.text);
    const name =
      wants === 'test' || wants === 'test-file'
        ? (fieldOf(request, 'test_name') ?? 'as the workbench had it')
        : undefined;
    const asks = wants === 'ask' && hasRight(roleOf(response), 'look_up');
    const worked = await work(parts, request, response, on, {
      ask: asks,
      ...(name === undefined ? {} : { test: name }),
    });
    const { test } = worked.result;
    if (wants === 'test-file' && test) return sendFile(response, test.file, test.text);
    response.status(worked.status);
    if (worked.status === 503) response.set('retry-after', '2');
    send(request, response, on, { worked });
  }

  function readBench(request: Request, response: Response): { bench: Bench; source: Source } | undefined {
    const wanted = fieldOf(request, 'route');
    const bench = openBench(config(), scopeOf(response), wanted);
    const source = chooseSource(bench, fieldOf(request, 'source'));
    if (source && (bench.route || wanted === undefined)) return { bench, source };
    const problem = source
      ? 'The configuration has no such route.'
      : 'Choose a source: the configuration has none of that name.';
    response.status(422);
    send(
      request,
      response,
      { bench, source, given: { text: textOf(request, 'payload') ?? '' } },
      { worked: { status: 422, result: { problem } } },
    );
    return undefined;
  }

  const edited = (request: Request, { installed }: Bench) => ({
    text: installed && (textOf(request, 'mapping') ?? installed.text),
    digest: fieldOf(request, 'digest') ?? installed?.digest,
  });

  async function readText(request: Request, response: Response): Promise<(Shown & OnBench) | undefined> {
    const read = readBench(request, response);
    if (!read) return undefined;
    const given = { text: textOf(request, 'payload') ?? '' };
    return { ...read, ...edited(request, read.bench), given, call: given };
  }

  async function readStored(request: Request, response: Response): Promise<(Shown & OnBench) | undefined> {
    const scope = scopeOf(response);
    const named = fieldOf(request, 'source');
    const call_id = fieldOf(request, 'call_id')?.trim() ?? '';
    const bench = openBench(config(), scope, fieldOf(request, 'route'));
    const source = chooseSource(bench, named);
    const what = { source: source?.name ?? '', call_id };
    const opened = source
      ? await openCall(store, source, call_id, async () => {
          if (looks.isNew(`${ownerOf(request, response)} ${source.name} ${call_id}`))
            await noteLook({ store, log }, request, response, what, 'read payload');
        })
      : undefined;
    if (!source || !opened || 'unreadable' in opened) {
      const [status, title, why] =
        opened && 'unreadable' in opened
          ? ([
              410,
              'The payload cannot be read',
              `The payload of this call ${opened.unreadable}, so that there is nothing to show.`,
            ] as const)
          : ([404, 'No such call', 'The ledger does not know this call, or its source is gone.'] as const);
      response.status(status).send(renderMessage(title, [why]));
      return undefined;
    }
    return {
      ...{ bench, source, ...edited(request, bench) },
      given: { stored: { source: source.name, call_id } },
      call: opened,
    };
  }

  return router;
}

/** Whether the mapping is another than its file, or the text of the call none of those to begin with. */
function isEdited({ bench: { installed }, text, given }: Shown, samples: readonly SampleGroup[]): boolean {
  const mapping = installed !== undefined && text !== undefined && text !== installed.text;
  const known = [FIRST_TEXT, ...samples.flatMap((group) => group.samples.map((sample) => sample.text))];
  return mapping || ('text' in given && !known.includes(given.text));
}

/** What a page shows besides the result. */
interface Shown {
  bench: Bench;
  source?: Source | undefined;
  given: WorkbenchPage['given'];
  sample?: Sample | undefined;
  asked?: WorkbenchPage['asked'];
  text?: string | undefined;
  /** Of the text that was opened. */
  digest?: string | undefined;
}

function sendFile(response: Response, path: string, text: string): void {
  response.attachment(basename(path)).type('application/yaml').send(text);
}
