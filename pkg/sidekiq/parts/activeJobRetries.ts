import { command } from '../../redis/readOnlyRedis';
import { keys } from '../keys';
import { activeJobAttempts } from '../jobDetails';
import { parsePayload } from '../payload';
import { listOf, type Part } from './part';

/** Payloads looked at of the scheduled jobs, the next ones due. */
const SCHEDULED_SAMPLE = 20;

/**
 * Share of the next scheduled jobs that ActiveJob's `retry_on` put back: ActiveJob counts its attempts in its own
 * payload, and a job that is scheduled for the first time, or goes on after a deploy, has none. 0 where nothing is
 * scheduled.
 */
export const activeJobRetryShare: Part<void, number> = {
  what: 'scheduled jobs',
  commands: () => [command('zrange', keys.schedule, 0, SCHEDULED_SAMPLE - 1)],
  parse([value]) {
    const jobs = listOf(value);
    const retries = jobs.filter((raw) => {
      const payload = parsePayload(raw);
      return payload !== null && (activeJobAttempts(payload) ?? 0) > 0;
    });
    return { value: jobs.length === 0 ? 0 : retries.length / jobs.length };
  },
};
