/** The workbench in a browser. Without this script its page is a form that does the same at the press of a button. */
import type { Known } from './complete.ts';
import { type EditorFinding, openEditor } from './editor.ts';
import { goLive } from './live.ts';
import type { SchemaPart } from './schema.ts';

const form = document.querySelector<HTMLFormElement>('#workbench');
const result = document.querySelector<HTMLElement>('#result');
const field = document.querySelector<HTMLTextAreaElement>('#mapping');

if (form && result) start(form, result, field);

function start(bench: HTMLFormElement, shown: HTMLElement, mapping: HTMLTextAreaElement | null): void {
  const known: Known = { schema: undefined, paths: [] };
  // What is edited stays so through answers to the form, which bring the page again.
  let isChanged = 'edited' in bench.dataset;
  let isSent = false;
  const live = goLive(
    bench,
    (part) => {
      shown.innerHTML = part;
      read();
    },
    (text) => {
      const said = shown.querySelector('.said');
      if (said) said.textContent = text;
    },
  );
  const changed = () => {
    isChanged = true;
    live.changed();
  };
  const editor = mapping ? openEditor(mapping, () => known, changed) : undefined;

  function read(): void {
    const paths = shown.querySelector<HTMLElement>('#paths')?.dataset.paths;
    known.paths = paths === undefined ? known.paths : JSON.parse(paths);
    editor?.show([...shown.querySelectorAll<HTMLElement>('[data-line]')].map(findingOf));
    const test = shown.querySelector<HTMLTextAreaElement>('#test');
    if (test) addCopy(test);
  }

  read();
  if (mapping) {
    addCopy(mapping);
    void loadSchema(mapping.dataset.schema ?? '').then((schema) => {
      known.schema = schema;
    });
  }
  for (const event of ['input', 'change'])
    bench.addEventListener(event, ({ target }) => {
      if ((target as HTMLInputElement).name !== 'test_name') changed();
    });
  shown.addEventListener('click', (event) => {
    const link = (event.target as Element).closest('a[href="#mapping"]');
    const line = link?.closest<HTMLElement>('[data-line]');
    if (!line || !editor) return;
    event.preventDefault();
    editor.goTo(Number(line.dataset.line), Number(line.dataset.column));
  });
  // The form takes along what is edited; all else that leaves the page, another call or route included, loses it.
  bench.addEventListener('submit', () => {
    isSent = true;
  });
  addEventListener('beforeunload', (event) => {
    if (isChanged && !isSent) event.preventDefault();
    isSent = false;
  });
}

function findingOf(item: HTMLElement): EditorFinding {
  const { line, column } = item.dataset;
  const parts = [...item.querySelectorAll('.message, .hint')].map(({ textContent }) => textContent);
  const severity = item.classList.contains('error') ? 'error' : 'warning';
  return { line: Number(line), column: Number(column), severity, message: parts.join('. ') };
}

async function loadSchema(address: string): Promise<SchemaPart | undefined> {
  try {
    const answer = await fetch(address);
    return answer.ok ? ((await answer.json()) as SchemaPart) : undefined;
  } catch {
    // The findings say what the schema would.
    return undefined;
  }
}

/** A button that copies what is in a field. */
function addCopy(field: HTMLTextAreaElement): void {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = `Copy the ${field.id}`;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(field.value);
    button.textContent = 'Copied';
  });
  const buttons = field.closest('form, section')?.querySelector('.buttons');
  // Only pages from this machine or over TLS may.
  if (navigator.clipboard) buttons?.append(button);
}
