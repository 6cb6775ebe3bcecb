import { describe, expect, test } from 'vitest';
import { checkProtected, commandLine, dataSource } from '../../../pkg/settings/administration';
import { explanationOf } from '../../support/faults';

describe('a data source', () => {
  const permitted = dataSource({ GF_PLUGIN_DATA_DIR: '/var/lib/jobwatch' }, '1-abc');

  test('names files below the data directory, which begin with its own name', () => {
    expect(permitted.path('historyFile', 'history.db')).toBe('/var/lib/jobwatch/1-abc-history.db');
    expect(dataSource({ JOBWATCH_DATA_DIR: '/d' }, '2-x').path('historyFile', 'h')).toBe('/d/2-x-h');
  });

  test.each(['/etc/passwd', '../x', 'a/b', '.hidden', '..', '', 'a\0b', '~x', 'C:\\x', 'x'.repeat(101)])(
    'cannot name %j',
    (name) => {
      expect(explanationOf(() => permitted.path('historyFile', name))).toMatch(
        /"historyFile" holds a path.*Use letters, digits/
      );
    }
  );

  test('has no file where the administrator named no directory', () => {
    expect(explanationOf(() => dataSource({}, '1-abc').path('statsdListen', 'x.sock'))).toMatch(
      /"statsdListen" names a file, but the plugin has no data directory.*data_dir.*GF_PLUGIN_DATA_DIR/
    );
  });

  test('listens without a token beyond this host only where the administrator allows it', () => {
    expect(dataSource({}, 'x').listenWithoutToken).toBe(false);
    expect(dataSource({ GF_PLUGIN_LISTEN_WITHOUT_TOKEN: 'true' }, 'x').listenWithoutToken).toBe(true);
    expect(dataSource({ GF_PLUGIN_LISTEN_WITHOUT_TOKEN: 'false' }, 'x').listenWithoutToken).toBe(false);
  });
});

test('the command line takes any path', () => {
  expect(commandLine().path('historyFile', '/srv/h.db')).toBe('/srv/h.db');
});

describe('an address of metrics', () => {
  test.each(['127.0.0.1:1', '127.9.9.9:1', '[::1]:1', 'localhost:1'])('%s needs no token', (listen) => {
    expect(() => checkProtected('exporterListen', listen, undefined, commandLine())).not.toThrow();
  });

  test.each(['0.0.0.0:1', '10.0.0.1:1', '[::]:1', 'host.example:1', '127.example:1'])(
    '%s needs a token, or the word of the administrator',
    (listen) => {
      expect(explanationOf(() => checkProtected('exporterListen', listen, undefined, commandLine()))).toMatch(
        /"exporterListen" serves metrics beyond this host .*without a token.*"exporterToken"/
      );
      expect(() => checkProtected('exporterListen', listen, 'secret', commandLine())).not.toThrow();
      expect(() => checkProtected('exporterListen', listen, undefined, commandLine(true))).not.toThrow();
    }
  );
});
