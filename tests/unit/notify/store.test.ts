import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { NotificationStore } from '../../../pkg/notify/store';

const folder = mkdtempSync(join(tmpdir(), 'jobwatch-notify-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());
let files = 0;
const newFile = () => join(folder, `${(files += 1)}.json`);
const stateOf = (file: string, receiver: string) => new NotificationStore(file).load('redis', receiver);

test('what is saved is there for the next process', () => {
  const file = newFile();
  new NotificationStore(file).save('redis', 'team', { sent: 1 });
  expect(stateOf(file, 'team')).toEqual({ sent: 1 });
  expect(stateOf(file, 'others')).toBeNull();
});

// Found by a review: two processes that began together wrote to one file beside it, and one of them ended.
test('two processes with one file lose nothing of what each tells alone', () => {
  const file = newFile();
  const [one, other] = [new NotificationStore(file), new NotificationStore(file)];
  one.load('redis', 'team');
  other.load('redis', 'lead');
  for (let round = 1; round <= 3; round += 1) {
    one.save('redis', 'team', { sent: round });
    other.save('redis', 'lead', { sent: 10 * round });
  }
  expect(stateOf(file, 'team')).toEqual({ sent: 3 });
  expect(stateOf(file, 'lead')).toEqual({ sent: 30 });
  expect(readdirSync(folder).filter((name) => name.endsWith('.new'))).toEqual([]);
});

test('a file that is damaged while the process runs is written anew, and one of something else is refused at its start', () => {
  const file = newFile();
  const store = new NotificationStore(file);
  store.save('redis', 'team', { sent: 1 });
  writeFileSync(file, 'hello');
  expect(() => new NotificationStore(file)).toThrow('holds something else');
  store.save('redis', 'team', { sent: 2 });
  expect(stateOf(file, 'team')).toEqual({ sent: 2 });
});

test('a file that cannot be written is told once, and leaves nothing beside it', () => {
  const place = join(folder, 'gone');
  mkdirSync(place);
  const store = new NotificationStore(join(place, 'n.json'));
  rmSync(place, { recursive: true });
  const logged = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  store.save('redis', 'team', { sent: 1 });
  store.save('redis', 'team', { sent: 2 });
  expect(logged).toHaveBeenCalledTimes(1);
  mkdirSync(place);
  store.save('redis', 'team', { sent: 3 });
  expect(readdirSync(place)).toEqual(['n.json']);
});

test('a file that can no longer be read is told with the reason', () => {
  const file = newFile();
  const store = new NotificationStore(file);
  rmSync(file, { force: true });
  mkdirSync(file);
  const logged = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  store.save('redis', 'team', { sent: 1 });
  expect(String(logged.mock.calls[0]![0])).toContain('"reason":"EISDIR"');
});
