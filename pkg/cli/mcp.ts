import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { Installation } from '../installation/installation';
import { mcpServer } from '../mcp/server';
import type { Settings } from '../settings/settings';
import { openSource, type ReplayFlags } from './source';

/** The name of the only source. */
const SOURCE = 'default';

/** Answers a language model on stdin and stdout until stdin ends, or until SIGTERM or SIGINT. @throws Fault `settings` */
export async function mcp(settings: Settings, flags: ReplayFlags): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
    process.stdin.once('end', resolve);
  });
  const { source, close } = await openSource(settings, flags);
  if (source instanceof Installation) {
    // Rates and the past are known while it runs.
    source.startSampling();
  }
  const server = mcpServer(new Map([[SOURCE, source]]));
  try {
    await server.connect(new StdioServerTransport());
    await ended;
  } finally {
    await server.close();
    close();
  }
}
