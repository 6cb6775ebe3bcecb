/**
 * Run by Bun, whose SQLite locks files as that of the executable does. Prints how many locks this process holds on its
 * history file while it is opened and closed a second time, to write and to replay it, and how often the file is open at the end.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { openBlocks } from '../../pkg/recording/openReplay';
import { openSqliteStore } from '../../pkg/series/sqliteStore';

const file = process.argv[2]!;

const open = async (at: number) => {
  const store = await openSqliteStore(file, { retentionDays: 30 });
  store.append(at, [{ scope: 'total', key: '', figure: 'busy', value: 1 }]);
  return store;
};
/** See proc(5). */
const locks = () =>
  readFileSync('/proc/locks', 'utf8')
    .split('\n')
    .filter((line) => line.includes(` ${process.pid} `)).length;
const descriptors = () =>
  readdirSync('/proc/self/fd').filter((each) => {
    try {
      return readlinkSync(`/proc/self/fd/${each}`).startsWith(file);
    } catch {
      // That of the folder that is read.
      return false;
    }
  }).length;

const first = await open(1000);
const held = [locks()];
const second = await open(1010);
held.push(locks());
second.close();
held.push(locks());
// As the setting "replayFile" of another data source does.
const replayed = await openBlocks(file);
held.push(locks());
replayed.close();
held.push(locks());
first.close();
process.stdout.write(JSON.stringify({ held, descriptors: descriptors() }));
