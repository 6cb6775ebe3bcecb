import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const PROVISIONED = join(__dirname, '../../../provisioning/dashboards');

interface Dashboard {
  uid: string;
  templating: { list: Array<{ name: string; type: string; includeAll?: boolean }> };
  panels: unknown;
  links: Array<{ type: string; url?: string; includeVars: boolean; tags: string[] }>;
  tags: string[];
}

const dashboards = ['direct', 'prometheus'].flatMap((flavour) =>
  readdirSync(join(PROVISIONED, flavour)).map(
    (file) => JSON.parse(readFileSync(join(PROVISIONED, flavour, file), 'utf8')) as Dashboard
  )
);
const variablesOf = new Map(dashboards.map(({ uid, templating }) => [uid, templating.list.map(({ name }) => name)]));

/** Every address in a dashboard that names another one: links of cells, figures, series and panels. */
function addressesOf(value: unknown): string[] {
  return typeof value === 'string'
    ? /^\/d\//.test(value)
      ? [value]
      : []
    : typeof value === 'object' && value !== null
      ? Object.values(value).flatMap(addressesOf)
      : [];
}

test.each(dashboards.map((dashboard) => [dashboard.uid, dashboard] as const))(
  'every link of %s opens a dashboard of its flavour that has the variables it names, keeps the data source and the range',
  (uid, dashboard) => {
    for (const address of new Set(addressesOf(dashboard.panels))) {
      const [path = '', query = ''] = address.split('?');
      const target = path.slice('/d/'.length);
      expect([...variablesOf.keys()], address).toContain(target);
      expect(target.endsWith('-prom'), address).toBe(uid.endsWith('-prom'));
      const named = [...query.matchAll(/(?:^|&)var-(\w+)=/g)].map(([, name]) => name);
      expect(variablesOf.get(target), address).toEqual(expect.arrayContaining(named));
      expect(named, address).toContain('datasource');
      expect(query, address).toContain('${__url_time_range}');
    }
  }
);

test.each(dashboards.map((dashboard) => [dashboard.uid, dashboard] as const))(
  'the menu of %s hands its variables only to dashboards that take All of them, and one data source to those of one',
  (uid, { links, tags, templating }) => {
    const several = tags.includes('fleet') && !uid.endsWith('-prom');
    for (const { type, url = '', includeVars, tags: wanted } of links) {
      const to = dashboards.filter((each) =>
        type === 'dashboards'
          ? // Grafana leaves out the one that is open.
            each.uid !== uid && wanted.every((tag) => each.tags.includes(tag))
          : url.split('?')[0] === `/d/${each.uid}`
      );
      expect(to.length, url).toBeGreaterThan(0);
      expect(to.every((each) => each.uid.endsWith('-prom') === uid.endsWith('-prom'))).toBe(true);
      if (includeVars) {
        expect(several).toBe(false);
        const names = templating.list.map(({ name }) => name);
        const single = to.flatMap((each) =>
          each.templating.list.filter(
            (variable) => variable.type === 'query' && !variable.includeAll && names.includes(variable.name)
          )
        );
        expect(single.filter(({ name }) => name !== 'statsd')).toEqual([]);
      }
    }
  }
);
