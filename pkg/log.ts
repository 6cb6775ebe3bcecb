type Level = 'debug' | 'info' | 'warn' | 'error';

/**
 * Writes one line to stderr in hclog's JSON form, which Grafana repeats in its own log with level and
 * fields (hashicorp/go-plugin, client.go). Callers pass no secrets.
 */
export function log(level: Level, message: string, fields: Record<string, string | number | boolean> = {}): void {
  const line = { '@level': level, '@message': message, '@timestamp': new Date().toISOString(), ...fields };
  process.stderr.write(`${JSON.stringify(line)}\n`);
}
