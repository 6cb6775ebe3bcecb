import type { Row, WhatIfData } from '../model';
import { durationText, shareText } from './format';
import { drawTable, element, number, text, type Column } from './table';

const TRAFFIC = { least: 0.25, most: 4, step: 0.25 };

const RUN = 'Simulate the last hour';
const RUN_PAST = 'Simulate the hour before that time';

/** A figure as it is, and with the changes where there are any. */
const both = (
  title: string,
  name: string,
  format: (value: Row[string] | undefined) => string,
  minor = false
): Column => ({
  title,
  text: (row) => (`${name}If` in row ? `${format(row[name])} → ${format(row[`${name}If`])}` : format(row[name])),
  mark: number,
  minor,
});
const threadsText = (value: Row[string] | undefined) => (typeof value === 'number' ? String(Math.round(value)) : '–');

const COLUMNS: readonly Column[] = [
  { title: 'Worker type', text: (row) => text(row, 'workerType') },
  both('Threads', 'threads', threadsText, true),
  both('Busy', 'utilisation', shareText, true),
  both('p95 of the wait', 'p95', durationText),
  { title: 'Objective', text: (row) => durationText(row['objective']), mark: number, minor: true },
  both('Within objective', 'within', shareText),
  both('Backlog at the end', 'backlogEnd', threadsText, true),
];

/**
 * The section "What if": the work of the last hour with other traffic and threads, simulated when it is asked for. The
 * threads of each worker type can be chosen once they are known from a first answer.
 */
export class WhatIf {
  readonly element = element('section', '', 'table');
  private readonly traffic = slider(TRAFFIC.least, TRAFFIC.most, TRAFFIC.step, 1);
  private readonly form = element('form');
  private readonly run = element('button', RUN);
  private readonly notes = element('ul', '', 'notes');
  private readonly threads = new Map<string, { input: HTMLInputElement; asIs: number }>();
  private asked: AbortController | undefined;

  /** @param at the instant that the page shows, epoch seconds; `null` for now */
  constructor(private readonly at: () => number | null) {
    const title = element('h2', 'What if');
    this.element.id = 'what-if';
    title.id = 'what-if-title';
    this.element.setAttribute('aria-labelledby', title.id);
    this.run.type = 'submit';
    this.form.append(
      labelled('Traffic', this.traffic, (value) => `× ${value}`),
      this.run
    );
    // The answer below is of other changes.
    this.form.addEventListener('input', () => this.element.classList.add('stale'));
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.ask();
    });
    this.element.append(title, this.form, element('div', '', 'body'), this.notes);
  }

  /** The page shows another time: an answer that stands here is of the one before. */
  moved(): void {
    this.element.classList.toggle('stale', this.element.querySelector('table') !== null);
    if (this.asked === undefined) {
      this.run.textContent = this.runText();
    }
  }

  private runText(): string {
    return this.at() === null ? RUN : RUN_PAST;
  }

  private async ask(): Promise<void> {
    this.asked?.abort();
    const asked = new AbortController();
    this.asked = asked;
    this.run.textContent = 'Simulating …';
    const data = await this.answer(asked.signal);
    // A later question has the answer to itself.
    if (this.asked === asked) {
      this.asked = undefined;
      this.run.textContent = this.runText();
      this.show(data);
    }
  }

  private async answer(signal: AbortSignal): Promise<WhatIfData> {
    const question = new URLSearchParams();
    if (this.traffic.value !== '1') {
      question.append('traffic', this.traffic.value);
    }
    this.threads.forEach(({ input, asIs }, name) => {
      if (Number(input.value) !== asIs) {
        question.append('threads', `${name}=${input.value}`);
      }
    });
    const at = this.at();
    if (at !== null) {
      question.append('at', String(at));
    }
    try {
      const answer = await fetch(`what-if.json?${question}`, { signal });
      return answer.ok ? ((await answer.json()) as WhatIfData) : { rows: [], notes: [], problem: await answer.text() };
    } catch (error) {
      return { rows: [], notes: [], problem: `There is no answer: ${String((error as Error).message)}.` };
    }
  }

  private show({ rows, notes, problem }: WhatIfData): void {
    this.element.classList.remove('stale');
    drawTable(this.element, COLUMNS, { rows, ...(problem !== undefined && { problem }) }, 'No job ran in this hour.');
    this.notes.replaceChildren(...notes.map((note) => element('li', note)));
    for (const row of rows) {
      const name = text(row, 'workerType');
      const asIs = Math.round(Number(row['threads'] ?? 0));
      const known = this.threads.get(name);
      if (known) {
        // Another hour had other threads: what the reader has not moved follows.
        if (Number(known.input.value) === known.asIs) {
          setTo(known.input, asIs);
        }
        known.asIs = asIs;
      } else {
        const input = slider(Math.min(1, asIs), Math.max(10, asIs * 4), 1, asIs);
        this.threads.set(name, { input, asIs });
        this.run.before(labelled(name, input, (value) => `${value} threads`));
      }
    }
  }
}

function slider(least: number, most: number, step: number, value: number): HTMLInputElement {
  const made = document.createElement('input');
  made.type = 'range';
  Object.assign(made, { min: String(least), max: String(most), step: String(step) });
  made.value = String(value);
  return made;
}

function setTo(input: HTMLInputElement, value: number): void {
  input.max = String(Math.max(Number(input.max), value));
  input.value = String(value);
  input.dispatchEvent(new Event('input'));
}

function labelled(title: string, input: HTMLInputElement, told: (value: string) => string): HTMLLabelElement {
  const label = element('label');
  const output = element('output', told(input.value));
  input.addEventListener('input', () => (output.textContent = told(input.value)));
  label.append(element('span', title), input, output);
  return label;
}
