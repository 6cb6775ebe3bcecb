import { Fault } from '../faults/fault';
import { checkHealth } from '../installation/health';
import type { Installation } from '../installation/installation';

/** The exporter's page for people: how Sidekiq is right now, and where the metrics are. The page reloads itself. */
export async function landingPage(
  installation: Installation,
  targets: ReadonlyMap<string, Installation> = new Map()
): Promise<string> {
  const health = await checkHealth(installation);
  const probes = [...targets.keys()].map(
    (name) => `<li><a href="/probe?target=${encodeURIComponent(name)}">${escape(name)}</a></li>`
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Jobwatch for Sidekiq</title>
<style>${STYLE}</style></head><body><main>
<h1>Jobwatch for Sidekiq</h1>
<p class="${health.ok ? 'ok' : 'bad'}">${escape(health.message)}</p>
<p><a href="/metrics">Metrics</a> · <a href="/-/ready">Ready</a> · <a href="/-/healthy">Healthy</a></p>
${receiver(installation)}
${probes.length > 0 ? `<h2>Targets</h2><ul>${probes.join('')}</ul>` : ''}
${await liveFigures(installation)}
</main></body></html>
`;
}

function receiver({ statsd }: Installation): string {
  if (statsd.listening.length === 0) {
    return '';
  }
  const { lines, malformed, dropped } = statsd.counts;
  const figures = [`${lines.toLocaleString('en')} lines`, `${statsd.registry.size.toLocaleString('en')} label sets`];
  const bad = [malformed > 0 && `${malformed} malformed`, dropped > 0 && `${dropped} dropped`].filter(Boolean);
  return `<p>DogStatsD at ${escape(statsd.listening.join(', '))}: ${[...figures, ...bad].join(', ')}</p>`;
}

async function liveFigures(installation: Installation): Promise<string> {
  try {
    const { snapshot, totals, queues } = await installation.state();
    const cards: Array<[string, number | null]> = [
      ['Processed', totals.processed],
      ['Failed', totals.failed],
      ['Busy', totals.busy],
      ['Threads', totals.threads],
      ['Enqueued', totals.enqueued],
      ['Retries', snapshot.totals.retry],
      ['Scheduled', snapshot.totals.scheduled],
      ['Dead', snapshot.totals.dead],
    ];
    const rows = queues.map(
      ({ name, size, waitSeconds, busy, readyThreads, unserved }) =>
        `<tr${unserved ? ' class="bad"' : ''}><td>${escape(name)}${unserved ? ' (nobody serves it)' : ''}</td><td>${shown(size)}</td>` +
        `<td>${waitSeconds === null ? '–' : `${waitSeconds.toFixed(1)} s`}</td><td>${shown(busy)}</td><td>${shown(readyThreads)}</td></tr>`
    );
    return `<section>${cards.map(([title, value]) => `<div><b>${shown(value)}</b>${title}</div>`).join('')}</section>
<table><thead><tr><th>Queue</th><th>Size</th><th>Latency</th><th>Busy</th><th>Ready threads</th></tr></thead>
<tbody>${rows.join('')}</tbody></table>`;
  } catch (error) {
    if (error instanceof Fault) {
      return '';
    }
    throw error;
  }
}

/** What is not known is a dash, never a zero. */
function shown(value: number | null): string {
  return value === null ? '–' : value.toLocaleString('en');
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `
:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;margin:2rem}main{max-width:60rem;margin:auto}
section{display:flex;flex-wrap:wrap;gap:.75rem;margin:1rem 0}section div{border:1px solid #8884;border-radius:6px;padding:.5rem 1rem;min-width:6rem}
section b{display:block;font-size:1.5rem}table{border-collapse:collapse;width:100%}th,td{text-align:right;padding:.25rem .5rem;border-bottom:1px solid #8883}
th:first-child,td:first-child{text-align:left}.ok{color:#2a9d4a}.bad{color:#d33}`.trim();
