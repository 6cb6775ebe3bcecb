import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readConfigFile } from '../../../pkg/cli/configFile';
import { settingsFrom } from '../../../pkg/settings/environment';

const directory = mkdtempSync(join(tmpdir(), 'jobwatch-config-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function read(yaml: string): Record<string, unknown> {
  const path = join(directory, 'config.yaml');
  writeFileSync(path, yaml);
  return readConfigFile(path);
}
const settings = (yaml: string) => settingsFrom({ flags: {}, env: {}, file: read(yaml) });

describe('a configuration file', () => {
  test.each([
    ['password: 12345', '12345'],
    ['password: 0123', '0123'],
    ['password: 1e5', '1e5'],
    ['password: 12345678901234567890', '12345678901234567890'],
    ['password: true', 'true'],
    ['password: "12345"', '12345'],
    ['"password": 0x1F', '0x1F'],
  ])('takes the secret of %o as it is written', (yaml, password) => {
    expect(settings(yaml).secrets).toEqual({ password });
  });

  test('takes texts as they are written, and numbers as numbers, also of further targets', () => {
    const { username, options } = settings('username: 007\nkeyPrefix: 10\nqueueInclude: 1.0\nsampleSeconds: 30');
    expect([username, options.keyPrefix, options.queueInclude, options.sampleSeconds]).toEqual([
      '007',
      '10',
      '1.0',
      30,
    ]);
    expect(read('targets:\n  eu: { password: 0123, sampleSeconds: 5 }')).toEqual({
      targets: { eu: { password: '0123', sampleSeconds: 5 } },
    });
  });

  test('may hold anchors of its own', () => {
    expect(() => settings('x-common: &c { password: a }\ntargets: { eu: *c }')).not.toThrow();
  });

  test('leaves out what is left empty', () => {
    expect(settings('password:\nurl: ~').secrets).toEqual({});
  });

  test.each([
    ['url: [a]', 'The setting "url" must be text.'],
    ['password: { a: b }', 'The setting "password" must be text.'],
    ['bogus: 1', 'There is no setting "bogus".'],
    ['pasword: x', 'There is no setting "pasword".'],
    ['sampleSeconds: [1]', 'The setting "sampleSeconds" is not valid'],
  ])('of %o is refused by name', (yaml, message) => {
    expect(() => settings(yaml)).toThrow(message);
  });

  test('is refused with a remedy for a file and not for Grafana', () => {
    expect(() => settings('sampleSeconds: [1]')).toThrow(
      expect.objectContaining({ remedy: expect.not.stringContaining('data source') as unknown })
    );
  });

  test('that is no YAML is refused by line, without what stands there', () => {
    expect(() => read('password: "s3cret\nurl: x')).toThrow(/cannot be read: \w+ in line \d+, column \d+/);
    expect(() => read('password: "s3cret\nurl: x')).not.toThrow(/s3cret/);
  });
});
