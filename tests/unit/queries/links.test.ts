import { describe, expect, test } from 'vitest';
import type { Field } from '../../../pkg/frames/frame';
import { busy } from '../../../pkg/queries/busy';
import { processes } from '../../../pkg/queries/processes';
import type { QueryType } from '../../../pkg/queries/queryType';
import { QUERY_TYPES, queryType } from '../../../pkg/queries/registry';
import { parseSettings } from '../../../pkg/settings/settings';
import { askState } from '../../support/ask';
import { aProcess, aState, listed, someWork } from '../../support/state';

const OPTIONS = {
  webUiUrl: 'https://shop.example.com/sidekiq/',
  links: [
    { title: 'Logs', on: 'jid', url: 'https://logs.example.com/?q={value}&again={value}' },
    { title: 'Host', on: 'host', url: 'https://hosts.example.com/{value}' },
  ],
};

async function linksOn(type: QueryType, column: string, options: object, alerting = false) {
  const state = aState({
    options: options as Record<string, unknown>,
    snapshot: { work: listed(someWork()), processes: listed(aProcess('a:1:x')) },
  });
  const [frame] = await askState(type, state, {
    request: { alerting },
    query: alerting ? { figures: ['runTime'] } : {},
  });
  const found = frame!.fields.find(({ name }: Field) => name === column)!;
  return (found.config?.links ?? []).map(({ title, url }) => [title, url]);
}

test('links of tables ask queries that there are', async () => {
  const asked: string[] = [];
  const types = QUERY_TYPES.filter(({ id }) => !['history', 'compare'].includes(id));
  for (const type of types) {
    const frames = await askState(type, aState(), {
      request: { dataSource: { uid: 'u', name: 's' } },
    }).catch(() => []);
    for (const field of frames.flatMap(({ fields }) => fields)) {
      for (const { title, internal } of field.config?.links ?? []) {
        const query = internal!.query as Record<string, unknown> & { queryType: string };
        await askState(queryType(query.queryType), aState(), { query, request: { reader: true } }).catch(
          (error: unknown) =>
            expect(String(error), `${type.id}, ${field.name}, ${title}`).toMatch(/There is no (job|queue)/)
        );
        asked.push(`${type.id} ${field.name} ${title}`);
      }
    }
  }
  expect(asked).toEqual(
    expect.arrayContaining([
      'errors class Dead jobs of this class',
      'errors queue Jobs of this queue',
      'job_metrics class Mean time of this class over time',
      'queues queue Jobs of this queue',
    ])
  );
});

describe('links of the settings', () => {
  test('lead from a queue, a class and a job to their pages of Sidekiq’s Web UI', async () => {
    const { webUiUrl } = OPTIONS;
    expect(await linksOn(busy, 'queue', { webUiUrl })).toEqual([
      ['Queue in Sidekiq’s Web UI', 'https://shop.example.com/sidekiq/queues/${__value.raw:percentencode}'],
    ]);
    expect(await linksOn(busy, 'class', { webUiUrl })).toEqual([
      [
        'Class in Sidekiq’s Web UI',
        'https://shop.example.com/sidekiq/metrics/${__data.fields.metricsClass:percentencode}',
      ],
    ]);
    expect(await linksOn(busy, 'jid', { webUiUrl })).toEqual([
      ['Retries in Sidekiq’s Web UI', 'https://shop.example.com/sidekiq/retries?substr=${__value.raw:percentencode}'],
    ]);
  });

  test('lead from a job and a host to where the operator says', async () => {
    expect(await linksOn(busy, 'jid', { links: OPTIONS.links })).toEqual([
      ['Logs', 'https://logs.example.com/?q=${__value.raw:percentencode}&again=${__value.raw:percentencode}'],
    ]);
    expect(await linksOn(processes, 'host', OPTIONS)).toEqual([
      ['Host', 'https://hosts.example.com/${__value.raw:percentencode}'],
    ]);
  });

  test('are none by default, on other columns, and in alert rules', async () => {
    expect(await linksOn(busy, 'jid', {})).toEqual([]);
    expect(await linksOn(busy, 'thread', OPTIONS)).toEqual([]);
    expect(await linksOn(busy, 'jid', OPTIONS, true)).toEqual([]);
  });

  test.each([
    [{ webUiUrl: 'javascript:alert(1)' }, /"webUiUrl" is not valid: use an address that begins with http/],
    [{ links: [{ title: 'x', on: 'jid', url: 'javascript:alert(1)' }] }, /url of row 1 of "links" is not valid/],
    [
      { links: [{ title: 'x', on: 'thread', url: 'https://x' }] },
      /on of row 1 of "links" is not valid: it must be one of jid, class, queue, host/,
    ],
    [{ links: [{ title: '', on: 'jid', url: 'https://x' }] }, /a link needs a title/],
  ])('of %o are refused', (options, message) => {
    expect(() => parseSettings({ options })).toThrow(message);
  });
});
