import { commaSeparated } from '../settings/endpoint';
import type { Options } from '../settings/model';
import type { SchedulerOptions } from '../sidekiq/browse/recurring';
import { zoneOf } from '../sidekiq/schedule/zone';

/** What the settings say of schedulers. */
export function schedulerOptions(options: Options): Required<SchedulerOptions> {
  return {
    cronNamespaces: commaSeparated(options.cronNamespaces),
    schedulerPrefixes: commaSeparated(options.schedulerPrefixes),
    timeZone: options.schedulerTimeZone === '' ? null : zoneOf(options.schedulerTimeZone),
  };
}
