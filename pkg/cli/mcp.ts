import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { ErrorCode } from '@modelcontextprotocol/sdk/types.js';
import { ZodError } from 'zod';
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
  const transport = new StdioServerTransport();
  // The transport only reports a line that is no message; JSON-RPC 2.0 wants an answer, or a client waits for ever.
  server.onerror = (error) => {
    const answer = noMessage(error);
    if (answer) {
      // An answer of JSON-RPC to what has no id, which the types of the SDK do not know.
      transport.send({ jsonrpc: '2.0', id: null, error: answer } as never).catch(() => undefined);
    }
  };
  try {
    await server.connect(transport);
    await ended;
  } finally {
    await server.close();
    close();
  }
}

/** What is answered to a line that is no message; `null` for other errors. */
function noMessage(error: Error): { code: number; message: string } | null {
  if (error instanceof SyntaxError) {
    return { code: ErrorCode.ParseError, message: 'The line is no JSON.' };
  }
  return error instanceof ZodError
    ? { code: ErrorCode.InvalidRequest, message: 'The line is no message of JSON-RPC 2.0; batches are not taken.' }
    : null;
}
