import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { Fault } from '../faults/fault';
import { VERSION } from '../version';
import { QUERY_TYPES } from '../queries/registry';
import { isTrue } from '../settings/administration';
import { holdsPassword } from '../settings/redisUrl';
import { commaSeparated } from '../settings/endpoint';
import { SCALAR_OPTIONS, settingsFrom } from '../settings/environment';
import { printAcl, type AclFlags } from './acl';
import { alerts, type AlertsFlags } from './alerts';
import { check } from './check';
import type { Configured } from './configured';
import { demo, type DemoFlags } from './demo';
import { answer, query, type QueryFlags } from './query';
import { record, type RecordFlags } from './record';
import { report, type ReportFlags } from './report';
import { keepCompiledCode } from './compiledCode';
import { serve, type ServeFlags } from './serve';
import type { ReplayFlags } from './source';
import { top } from './top';
import { readConfigFile } from './configFile';

type Flags = Record<string, unknown>;

/** Lists of `what-if`: options of the query type, with what they take. */
const LIST_FLAGS = [
  ['threads', 'name=threads', 'threads that serve a worker type or queue, all together'],
  ['processes', 'name=processes', 'processes that serve a worker type or queue'],
  ['traffic', 'factor', 'times as many jobs, of all, or of a queue or class as name=factor'],
  ['runTime', 'factor', 'times as long, of all, or of a queue or class as name=factor'],
  ['own', 'queue=threads', 'a queue is served by threads of its own, and by no others'],
  ['order', 'name=order', 'order of service: a>b, or with weights a:3>b:1'],
  ['paused', 'queue', 'queues of which no job is taken'],
  [
    'computing',
    'share',
    'share of the run time that uses the processor, of all, or of a queue or class as name=share: such jobs take longer with more threads',
  ],
] as const;

/** Exit codes that scripts can rely on. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** Runs the command line. @returns the exit code; faults are told on stderr in a sentence with their remedy. */
export async function runCommandLine(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  let code: number = EXIT.ok;
  const program = buildProgram(env, (outcome) => (code = outcome));
  try {
    await program.parseAsync([...argv]);
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    }
    if (error instanceof Fault) {
      process.stderr.write(`error: ${error.message}\n       ${error.remedy}\n`);
      return error.kind === 'settings' || error.kind === 'query' ? EXIT.usage : EXIT.failed;
    }
    throw error;
  }
}

function buildProgram(env: NodeJS.ProcessEnv, end: (code: number) => void): Command {
  const program = new Command('gpx_sidekiq')
    .description('Watches Sidekiq by reading its Redis: exporter, queries and checks. It never writes to Redis.')
    .version(VERSION)
    .exitOverride()
    .configureHelp({ showGlobalOptions: false })
    .addHelpText(
      'after',
      `\nRedis is found by --redis-url, or REDIS_URL and REDIS_PASSWORD, or LAGO_REDIS_SIDEKIQ_SENTINELS.\nExit codes: 0 success, 1 failure, 2 wrong usage or settings.`
    );
  const configured = (flags: Flags): Configured => {
    const file = readConfigFile((flags['config'] as string | undefined) ?? env['JOBWATCH_CONFIG']);
    refuseVisiblePassword(flags['redisUrl'], env);
    return { settings: settingsFrom({ flags, env, file }), file };
  };

  replayOptions(redisOptions(program.command('serve').description('Serve Prometheus metrics over HTTP.')))
    .option('--listen <host:port>', 'where to listen', env['JOBWATCH_LISTEN'] ?? '127.0.0.1:9292')
    .option('--web-path <path>', 'another path for the metrics')
    .option(
      '--listen-without-token',
      'serve beyond this host although no token is set',
      isTrue(env['JOBWATCH_LISTEN_WITHOUT_TOKEN'])
    )
    .option('--mcp', 'answer language models at /mcp (Model Context Protocol)', isTrue(env['JOBWATCH_MCP']))
    .option('--tls-cert-file <file>', 'certificate to serve HTTPS with')
    .option('--tls-key-file <file>', 'its key')
    .addHelpText(
      'after',
      '\nExample:\n  gpx_sidekiq serve --redis-url redis://user@host:6379/0 --listen 127.0.0.1:9292'
    )
    .action(async (flags: Flags & ServeFlags) => {
      keepCompiledCode(process.env);
      await serve(() => configured(flags), flags);
    });

  replayOptions(redisOptions(program.command('query').description('Answer one query, as Grafana would get it.')))
    .argument('<type>', QUERY_TYPES.map(({ id }) => id).join(', '))
    .option('--json', 'print one array of row objects')
    .option('--figures <names>', 'comma separated number columns to return', commaSeparated)
    .option(
      '--filter <filter...>',
      'field=value, field!=value, field=~regex or field!~regex; values comma separated, or a JSON list: \'queue=["a,b"]\''
    )
    .option('--limit <rows>', 'rows at most', positive)
    .option('--option <name=value...>', 'an option of the query type; lists are comma separated')
    .option('--from <time>', 'start: seconds before the end as -3600, or ISO 8601', '-3600')
    .option('--to <time>', 'end: seconds ago as -60, now-1m, or ISO 8601; types of the present answer as of then', '-0')
    .addHelpText(
      'after',
      '\nExamples:\n  gpx_sidekiq query queues --json\n  gpx_sidekiq query busy --filter "class=~Invoice.*" --limit 20'
    )
    .action(async (type: string, flags: Flags & QueryFlags) => query(type, configured(flags).settings, flags));

  replayOptions(
    redisOptions(
      program
        .command('mcp')
        .description('Answer a language model on stdin and stdout (Model Context Protocol): read-only tools.')
    )
  )
    .addHelpText('after', '\nExample:\n  gpx_sidekiq mcp --redis-url redis://user@host:6379/0')
    .action(async (flags: Flags & ReplayFlags) => {
      // What other commands do not need is not loaded for them.
      const { mcp } = await import('./mcp');
      await mcp(configured(flags).settings, flags);
    });

  replayOptions(redisOptions(program.command('top').description('Show queues and busy jobs live in the terminal.')))
    .option('--interval <seconds>', 'seconds between two consecutive snapshots', positive, 2)
    .action(async (flags: Flags & ReplayFlags & { interval: number }) =>
      top(configured(flags).settings, flags.interval, flags)
    );

  replayOptions(
    redisOptions(
      program
        .command('check')
        .description('Say whether Redis, rights, versions and queues are fine, and what to do if not.')
    )
  )
    .option('--json', 'print the findings as JSON')
    .action(async (flags: Flags & ReplayFlags & { json?: boolean }) =>
      end((await check(configured(flags).settings, flags)) ? EXIT.ok : EXIT.failed)
    );

  redisOptions(
    program.command('record').description('Record readings into a file that --replay takes, until it is stopped.')
  )
    .requiredOption('--out <file>', 'the recording; a new file')
    .option('--for <seconds>', 'end after so many seconds', positive)
    .option('--in <file>', 'cut a piece out of a history file or a recording instead of reading Redis')
    .option('--from <time>', 'start of the piece: seconds before its end as -3600, or ISO 8601')
    .option('--to <time>', 'end of the piece, likewise')
    .option('--hash-names', 'replace names of hosts, queues, classes and the like by hashes, and leave out messages')
    .addHelpText(
      'after',
      '\nExamples:\n  gpx_sidekiq record --out incident.rec --for 3600\n  gpx_sidekiq record --in history.db --from 2026-11-27T03:00:00Z --to 2026-11-27T04:00:00Z --out incident.rec'
    )
    .action(async (flags: Flags & RecordFlags) => record(() => configured(flags).settings, flags));

  redisOptions(
    program
      .command('alerts')
      .description('Say which of the shipped alert rules would have fired in a recording, and from when to when.')
  )
    .requiredOption('--replay <file>', 'a recording or a history file')
    .option('--from <time>', 'start: seconds before the end as -3600, or ISO 8601')
    .option('--to <time>', 'end, likewise')
    .option('--rule <name...>', 'only these rules')
    .option('--threshold <rule=value...>', 'another threshold of a rule')
    .option('--when <rule=expression...>', 'another condition over the queries of a rule: $A, $B, …')
    .option('--for <rule=minutes...>', 'other minutes for which a rule must hold')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  gpx_sidekiq alerts --replay incident.rec --threshold SidekiqJobsDying=5 --for SidekiqQueueLate=1'
    )
    .action(async (flags: Flags & AlertsFlags) => alerts(configured(flags).settings, flags));

  replayOptions(
    redisOptions(
      program
        .command('report')
        .description('Write what was wrong, unusual, slow and deployed in a time range, for people to read.')
    )
  )
    .option('--from <time>', 'start: seconds before the end as -604800, or ISO 8601', '-604800')
    .option('--to <time>', 'end: seconds ago as -60, now-1m, or ISO 8601', '-0')
    .addOption(
      new Option('--format <format>', 'its form; html has pictures')
        .choices(['markdown', 'html', 'json'])
        .default('markdown')
    )
    .option('--out <file>', 'a file instead of stdout')
    .option('--send <receiver>', 'send it to a receiver of the section notifications of the configuration file')
    .addHelpText(
      'after',
      '\nExamples:\n  gpx_sidekiq report --history-file history.db --format html --out week.html\n  gpx_sidekiq report --replay incident.rec --from -3600'
    )
    .action(async (flags: Flags & ReportFlags) => report(configured(flags), flags));

  const whatIf = replayOptions(
    redisOptions(
      program
        .command('what-if')
        .description(
          'Say what waits would be with other threads, traffic, run times or orders of queues, by simulation.'
        )
    )
  );
  for (const [field, placeholder, description] of LIST_FLAGS) {
    whatIf.option(`--${dashed(field)} <${placeholder}...>`, description);
  }
  whatIf
    .addOption(new Option('--by <rows>', 'one row for each').choices(['queue', 'workerType']).default('queue'))
    .addOption(
      new Option('--arrivals <work>', 'work of the time range, or the usual of the next hour')
        .choices(['range', 'usual'])
        .default('range')
    )
    .addOption(
      new Option(
        '--search <what>',
        'search for the fewest threads, the best order or the threshold of the ScaledObject that meets the objectives'
      ).choices(['threads', 'order', 'threshold'])
    )
    .option('--scaled-object <file>', 'a ScaledObject of KEDA (YAML): what it would have done', textOf)
    .option('--replica-start-seconds <seconds>', 'until a new replica takes jobs', positive)
    .option('--seed <number>', 'repeatable by seed', positive, 1)
    .option('--json', 'print one array of row objects')
    .option('--from <time>', 'start: seconds before the end as -3600, or ISO 8601', '-3600')
    .option('--to <time>', 'end: seconds ago as -60, now-1m, or ISO 8601', '-0')
    .addHelpText(
      'after',
      '\nExamples:\n  gpx_sidekiq what-if --threads "Default Worker=20" --traffic 2\n  gpx_sidekiq what-if --search threads --replay incident.rec --at -1800'
    )
    .action(async (flags: Flags & QueryFlags) => {
      const others = ['by', 'arrivals', 'search', 'scaledObject', 'replicaStartSeconds', 'seed'];
      const fields = [...LIST_FLAGS.map(([field]) => field), ...others];
      const given = Object.fromEntries(fields.flatMap((field) => (field in flags ? [[field, flags[field]]] : [])));
      await answer({ ...given, queryType: 'what_if' }, configured(flags).settings, flags);
    });

  program
    .command('acl')
    .description('Print the line that creates the smallest Redis user.')
    .option('--user <name>', 'its name', 'jobwatch')
    .option('--key-prefix <prefix>', 'only keys under this prefix')
    .option('--cluster', 'for Redis Cluster, whose client also asks for its nodes')
    .option('--client-list', 'for the query type connections: CLIENT LIST')
    .action((flags: AclFlags) => printAcl(flags));

  program
    .command('demo')
    .description('Write a simulated, busy Sidekiq into a Redis that holds none: the only command that writes.')
    .option('--redis-url <url>', 'where to write', env['REDIS_URL'] ?? 'redis://127.0.0.1:6379/0')
    .addOption(new Option('--sidekiq <version>', 'whose format to write').choices(['7.3', '8.1']).default('8.1'))
    .option('--seed <number>', 'repeatable by seed', positive, 1)
    .option('--statsd-endpoint <host:port>', 'also send what Sidekiq Pro would, by DogStatsD')
    .option('--history-file <file>', 'also record a day before now into this history file')
    .option('--force', 'write even where Sidekiq’s keys are found')
    .action(async (flags: DemoFlags) => demo(flags));

  for (const command of program.commands) {
    command.exitOverride();
  }
  return program;
}

function replayOptions(command: Command): Command {
  return command
    .option('--replay <file>', 'answer from a recording or a history file instead of Redis')
    .option('--at <time>', 'instant that is now: seconds before the end as -3600, or ISO 8601')
    .option('--shift', 'shift its times so that it ends now')
    .option('--speed <factor>', 'seconds of the recording in a second; it stands still without', positive);
}

function redisOptions(command: Command): Command {
  command
    .option('--redis-url <url>', 'redis://host:6379/0, rediss://host:6380 or unix:///path (REDIS_URL)')
    .option('--username <user>', 'Redis user (REDIS_USERNAME); its password comes from REDIS_PASSWORD or the URL')
    .option('--config <file>', 'YAML file with the same names (JOBWATCH_CONFIG)');
  for (const { flag, variable, kind, description } of SCALAR_OPTIONS) {
    const placeholder = kind === 'boolean' ? ' [true|false]' : ' <value>';
    const option = new Option(`${flag}${placeholder}`, `${description} (${variable})`);
    command.addOption(kind === 'boolean' ? option.preset('true') : option);
  }
  return command;
}

/** Every user of the host can read the flags of a process (ps). @throws Fault `settings` */
function refuseVisiblePassword(url: unknown, env: NodeJS.ProcessEnv): void {
  if (typeof url === 'string' && holdsPassword(url, env['REDIS_PASSWORD'], '--redis-url')) {
    throw new Fault({
      kind: 'settings',
      message: 'The flag --redis-url holds a password, which every user of this host could read.',
      remedy: 'Set REDIS_URL in the environment instead, or REDIS_PASSWORD beside a URL without it.',
    });
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new InvalidArgumentError(
      `The file cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}.`
    );
  }
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function positive(value: string): number {
  const number = Number(value);
  if (!Number.isFinite(number) || number <= 0) {
    throw new InvalidArgumentError('Use a number above 0.');
  }
  return number;
}
