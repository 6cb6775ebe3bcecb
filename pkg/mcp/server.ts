import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  CallToolRequestSchema,
  ErrorCode,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  type CallToolResult,
} from '@modelcontextprotocol/sdk/types.js';
import { Fault } from '../faults/fault';
import { log } from '../log';
import { QUERY_TYPES } from '../queries/registry';
import { VERSION } from '../version';
import { DATA_NOTE } from './answer';
import { PROMPTS } from './prompts';
import { callTool, toolsOf, type Sources } from './tools';

const INSTRUCTIONS = `Reads the state of Sidekiq (background jobs of Ruby) from its Redis. All tools only read. Begin with sidekiq_findings. A missing value (null) is unknown, not zero; notices tell what could not be read. Times are ISO 8601 in UTC. Tools of the present answer as of "to" where readings were recorded. ${DATA_NOTE}`;

const FINDINGS_URI = 'sidekiq://findings';
const TYPE_URI = 'sidekiq://query-types/';

/** A server of the Model Context Protocol (https://modelcontextprotocol.io) over some installations, for one connection. */
export function mcpServer(sources: Sources): Server {
  const server = new Server(
    { name: 'jobwatch-sidekiq', title: 'Jobwatch for Sidekiq', version: VERSION },
    { capabilities: { tools: {}, prompts: {}, resources: {} }, instructions: INSTRUCTIONS }
  );
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: toolsOf(sources) }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal }): Promise<CallToolResult> => {
    try {
      return {
        content: [{ type: 'text', text: await callTool(params.name, params.arguments ?? {}, sources, signal) }],
      };
    } catch (error) {
      return { isError: true, content: [{ type: 'text', text: explain(error, signal) }] };
    }
  });
  server.setRequestHandler(ListPromptsRequestSchema, () => ({
    prompts: PROMPTS.map(({ name, title, description, arguments: args }) => ({
      name,
      title,
      description,
      arguments: args,
    })),
  }));
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => {
    const prompt = PROMPTS.find(({ name }) => name === params.name);
    if (!prompt) {
      throw new McpError(
        ErrorCode.InvalidParams,
        `There is no prompt of this name. There are: ${PROMPTS.map(({ name }) => name).join(', ')}.`
      );
    }
    return {
      description: prompt.description,
      messages: [{ role: 'user', content: { type: 'text', text: prompt.text(params.arguments ?? {}) } }],
    };
  });
  server.setRequestHandler(ListResourcesRequestSchema, () => ({
    resources: [
      {
        uri: FINDINGS_URI,
        name: 'findings',
        title: 'Findings of now',
        description: 'What is wrong now, the worst first.',
        mimeType: 'application/json',
      },
      ...QUERY_TYPES.map(({ id, title, description }) => ({
        uri: `${TYPE_URI}${id}`,
        name: id,
        title: `Columns of ${title}`,
        description,
        mimeType: 'application/json',
      })),
    ],
  }));
  server.setRequestHandler(ReadResourceRequestSchema, async ({ params: { uri } }, { signal }) => ({
    contents: [{ uri, mimeType: 'application/json', text: await resource(uri, sources, signal) }],
  }));
  return server;
}

async function resource(uri: string, sources: Sources, signal: AbortSignal): Promise<string> {
  if (uri === FINDINGS_URI) {
    try {
      return await callTool('sidekiq_findings', {}, sources, signal);
    } catch (error) {
      throw new McpError(ErrorCode.InternalError, explain(error, signal));
    }
  }
  const type = QUERY_TYPES.find(({ id }) => uri === `${TYPE_URI}${id}`);
  if (!type) {
    throw new McpError(
      ErrorCode.InvalidParams,
      `There is no resource of this address. There are: ${FINDINGS_URI}, ${TYPE_URI}<query type>.`
    );
  }
  const { title, description, columns, filterFields } = type;
  return JSON.stringify({ title, description, columns, filterFields });
}

/** What went wrong; an error of ours is told in the log alone. */
function explain(error: unknown, { aborted }: AbortSignal): string {
  if (error instanceof Fault) {
    return error.explanation;
  }
  if (aborted) {
    return 'The request was cancelled.';
  }
  log('error', 'a request by the Model Context Protocol failed unexpectedly', {
    error: String((error as Error)?.stack ?? error),
  });
  return 'The request failed inside Jobwatch; its log has the details.';
}
