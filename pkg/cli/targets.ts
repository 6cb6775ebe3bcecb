import { Fault } from '../faults/fault';
import { settingsFrom } from '../settings/environment';
import type { Settings } from '../settings/settings';
import { readConfigFile } from './configFile';

/**
 * Further installations under `targets:` of the file, each with its own `url`, `username`, `password` and options; and
 * those of the file that `targetsFile:` names, which may be a secret of Kubernetes.
 *
 * @throws Fault `settings` naming the target
 */
export function targetsFrom(file: Record<string, unknown>): Map<string, Settings> {
  const named = file['targetsFile'];
  const targets = {
    ...mapOf(file['targets'] ?? {}),
    ...(typeof named === 'string' ? readConfigFile(named) : {}),
  };
  return new Map(
    Object.entries(targets).map(([name, target]) => {
      const given = target as { url?: unknown } | null;
      if (name === '' || typeof given !== 'object' || given === null || typeof (given.url ?? '') !== 'string') {
        throw new Fault({
          kind: 'settings',
          message: `The target "${name}" holds no settings.`,
          remedy: 'Give it at least a url.',
        });
      }
      return [name, settingsFrom({ flags: {}, env: {}, file: target as Record<string, unknown> })];
    })
  );
}

function mapOf(targets: unknown): Record<string, unknown> {
  if (typeof targets !== 'object' || targets === null || Array.isArray(targets)) {
    throw new Fault({
      kind: 'settings',
      message: '"targets" in the configuration file is not a map.',
      remedy: 'Write one entry per target: its name, and below that its settings.',
    });
  }
  return targets as Record<string, unknown>;
}
