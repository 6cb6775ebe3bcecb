import { runCommandLine } from './cli/program';
import { servePlugin, startedByGrafana } from './plugin/handshake';

async function main(): Promise<void> {
  if (startedByGrafana(process.env) && process.argv.length <= 2) {
    await servePlugin(process.env);
  } else {
    process.exitCode = await runCommandLine(process.argv, process.env);
  }
}

void main();
