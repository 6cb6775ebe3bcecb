import { expect, test } from 'vitest';
import { Watch } from '../../../pkg/watch/watch';
import { optionsSchema } from '../../../pkg/settings/model';
import { StatsdIntake } from '../../../pkg/statsd/intake';
import { aProcess, aSnapshot, listed, NOW, someWork } from '../../support/state';

test('a replica without its master lets no process vanish, and says of which time its figures are', () => {
  const watch = new Watch();
  const beside = {
    options: optionsSchema.parse({}),
    statsd: new StatsdIntake({ series: 1, expireSeconds: 1 }),
    recorded: false,
  };
  const look = (at: number, part: object, info: Record<string, string>) =>
    watch.next(
      {
        snapshot: aSnapshot({ at, ...part }),
        missed: null,
        info: new Map(Object.entries(info)),
        locks: null,
        usual: null,
        notices: [],
        historyFile: null,
      },
      beside
    );
  const alive = { processes: listed(aProcess('a:1:x')), work: listed(someWork()) };
  const cutOff = { role: 'slave', master_link_status: 'down', master_link_down_since_seconds: '136' };
  const linked = { role: 'slave', master_link_status: 'up' };
  look(NOW, alive, linked);
  const without = look(NOW + 130, { ghosts: listed('a:1:x') }, cutOff);
  expect(without.processLog).toMatchObject({ vanished: [], lostJobsTotal: 0 });
  expect(without.notices[0]!.text).toMatch(/^The replica that is read has had no link to its master for 136 s/);
  expect(without.findingLog.open.map(({ rule }) => rule)).toEqual(['replicaCutOff']);
  const back = look(NOW + 300, alive, linked);
  expect(back.processLog.events.map(({ kind }) => kind)).toEqual(['start']);
  expect(back.notices).toEqual([]);
});
