import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { Fault } from '../faults/fault';
import { parseEndpoint } from './endpoint';

/**
 * What only the administrator of the process decides, by its flags and environment. A data source's settings can name
 * files and addresses, and no more: whoever may edit a data source need not be trusted with the host.
 */
export interface Administration {
  /**
   * Where the file lies that a setting names.
   *
   * @param field the setting, for the message
   * @throws Fault `settings` when the file may not be there
   */
  path(field: string, given: string): string;
  /** As {@link path}, of a recording that is only read: the administrator puts it there for every data source. */
  recording(field: string, given: string): string;
  /** Whether metrics may be served beyond loopback without a token. */
  readonly listenWithoutToken: boolean;
}

/** For the command line: its user is the administrator, so paths are taken as given. */
export function commandLine(listenWithoutToken = false): Administration {
  const asGiven = (_: string, given: string) => given;
  return { path: asGiven, recording: asGiven, listenWithoutToken };
}

const FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/;

/**
 * For a data source in Grafana: files lie in the directory that the plugin's environment names, and their names begin
 * with the data source's, so that no two share one.
 *
 * `GF_PLUGIN_DATA_DIR` is what Grafana makes of `data_dir` in its section `[plugin.jobwatch-sidekiq-datasource]`;
 * `JOBWATCH_DATA_DIR` is the same for a Grafana that forwards its environment. Likewise `listen_without_token`.
 *
 * @param owner the data source, in characters of a file name
 */
export function dataSource(env: NodeJS.ProcessEnv, owner: string): Administration {
  const directory = env['GF_PLUGIN_DATA_DIR'] || env['JOBWATCH_DATA_DIR'];
  const inside = (field: string, given: string, place: (directory: string) => string): string => {
    if (!directory) {
      throw new Fault({
        kind: 'settings',
        message: `The setting "${field}" names a file, but the plugin has no data directory.`,
        remedy:
          'Ask the administrator of Grafana to set data_dir in the section [plugin.jobwatch-sidekiq-datasource] of its configuration (GF_PLUGIN_DATA_DIR).',
      });
    }
    if (!FILE_NAME.test(given)) {
      throw new Fault({
        kind: 'settings',
        message: `The setting "${field}" holds a path; a data source only names a file of the plugin's data directory.`,
        remedy: 'Use letters, digits, dots, hyphens and underscores, for example history.db.',
      });
    }
    return resolve(place(directory));
  };
  return {
    path: (field, given) => inside(field, given, (folder) => join(folder, `${owner}-${given}`)),
    // Histories of other data sources lie beside; a folder of its own holds none of them.
    recording: (field, given) => inside(field, given, (folder) => join(folder, 'recordings', given)),
    listenWithoutToken: isTrue(env['GF_PLUGIN_LISTEN_WITHOUT_TOKEN'] || env['JOBWATCH_LISTEN_WITHOUT_TOKEN']),
  };
}

/** True for the texts that switch something on. */
export function isTrue(text: string | undefined): boolean {
  return /^(true|1|yes)$/i.test(text ?? '');
}

/** How the administrator allows a listener without a token. */
const ALLOW =
  'let the administrator allow it: --listen-without-token for gpx_sidekiq serve, listen_without_token (GF_PLUGIN_LISTEN_WITHOUT_TOKEN) for the plugin.';

/** What helps a listener whose callers send no token. */
export const WITHOUT_TOKEN = `KEDA sends no token: listen at 127.0.0.1, or restrict who reaches the port by a network policy and ${ALLOW}`;

/**
 * Refuses to serve metrics where every host of the network could read them unasked.
 *
 * @param field the setting that holds the address
 * @param remedy what helps, where that is not a token
 * @throws Fault `settings`
 */
export function checkProtected(
  field: string,
  listen: string,
  token: string | undefined,
  { listenWithoutToken }: Administration,
  remedy = `Set "exporterToken" (JOBWATCH_EXPORTER_TOKEN), listen at 127.0.0.1, or ${ALLOW}`
): void {
  const { host } = parseEndpoint('listen', listen);
  if (token || listenWithoutToken || isLoopback(host)) {
    return;
  }
  throw new Fault({
    kind: 'settings',
    message: `The setting "${field}" serves metrics beyond this host (${listen}) without a token.`,
    remedy,
  });
}

/** Whether an address is reached from this host alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || (isIP(host) === 4 ? host.startsWith('127.') : host === '::1');
}
