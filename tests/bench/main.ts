import { benchPlugin } from './plugin';
import { benchScrape } from './scrape';
import { benchStatsd } from './statsd';

/** Performance as ratios measured side by side on this machine; nothing here passes or fails. */
async function main(): Promise<void> {
  for (const bench of [benchScrape, benchPlugin, benchStatsd]) {
    process.stdout.write(`${(await bench()).join('\n')}\n\n`);
  }
}

void main();
