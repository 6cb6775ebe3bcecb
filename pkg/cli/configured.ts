import type { Settings } from '../settings/settings';

/** Settings as the command line, the environment and a file give them, and the file's other parts. */
export interface Configured {
  settings: Settings;
  file: Record<string, unknown>;
}
