import { runCommandLine } from './cli/program';
import { servePlugin, startedByGrafana } from './plugin/handshake';

async function main(): Promise<void> {
  // Who reads the output has seen enough, as `head` has.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') {
      throw error;
    }
    process.exit(0);
  });
  if (startedByGrafana(process.env) && process.argv.length <= 2) {
    await servePlugin(process.env);
  } else {
    process.exitCode = await runCommandLine(process.argv, process.env);
  }
}

void main();
