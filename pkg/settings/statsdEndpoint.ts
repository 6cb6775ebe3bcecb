import { parseEndpoint } from './endpoint';

/** Where Lago's workers send DogStatsD; set on the receiver too, it says where to listen. */
export const STATSD_ENDPOINT = 'LAGO_SIDEKIQ_STATSD_ENDPOINT';

/**
 * Where to receive DogStatsD: our own setting, else the variable of Lago's workers (lago-api, initializers/sidekiq),
 * whose form is checked more strictly than there: a port that is no number, a scheme and a second colon are refused.
 *
 * @returns `undefined` where neither is set
 * @throws Fault `settings` when the variable is malformed
 */
export function statsdAddress(statsdListen: string, env: NodeJS.ProcessEnv): string | undefined {
  if (statsdListen !== '') {
    return statsdListen;
  }
  const endpoint = env[STATSD_ENDPOINT];
  if (endpoint === undefined) {
    return undefined;
  }
  parseEndpoint(STATSD_ENDPOINT, endpoint);
  return endpoint.trim();
}
