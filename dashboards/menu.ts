import { DashboardLinkBuilder, type DashboardLink } from '@grafana/grafana-foundation-sdk/dashboard';
import { SOURCE_KEPT } from './buildTable';
import { uidOf, type DashboardSpec, type Flavour } from './panel';

/** By the last one the menu of dashboards finds those that take its variables. */
export function tagsOf({ dataSources, detail }: DashboardSpec, flavour: Flavour): string[] {
  return ['sidekiq', flavour, dataSources === 'several' ? 'fleet' : detail === undefined ? OF_INSTALLATION : 'detail'];
}

const OF_INSTALLATION = 'installation';

/** A link that is shown: Grafana 12.3 drops some in its controls menu, the builder's default. */
function linkOf(builder: DashboardLinkBuilder): { build(): DashboardLink } {
  const { placement: _, ...link } = builder.build();
  return { build: () => link };
}

/**
 * The list of the dashboards of an installation. They take "All" of a variable, which a dashboard of one queue would take for
 * the name of one.
 *
 * @param several whether several data sources are chosen, of which the others take one
 */
export function otherDashboards(flavour: Flavour, several: boolean) {
  return linkOf(
    new DashboardLinkBuilder('Sidekiq dashboards')
      .type('dashboards' as never)
      .tags(['sidekiq', flavour, OF_INSTALLATION])
      .asDropdown(true)
      .keepTime(true)
      .includeVars(!several)
  );
}

/** Links to the dashboards of one queue, class or job, which begin with the first, and to the one of all data sources. */
export function linksOf(spec: DashboardSpec, flavour: Flavour, all: readonly DashboardSpec[]) {
  return all.flatMap(({ id, detail, dataSources, directOnly = false }) => {
    const isFleet = dataSources === 'several';
    if (id === spec.id || (detail === undefined && !isFleet) || (directOnly && flavour !== 'direct')) {
      return [];
    }
    const source = !isFleet ? `?${SOURCE_KEPT[flavour]}` : flavour === 'direct' ? '' : `?${SOURCE_KEPT.direct}`;
    return [
      linkOf(
        new DashboardLinkBuilder(detail ?? 'Fleet')
          .type('link' as never)
          .icon('dashboard')
          .url(`/d/${uidOf(id, flavour)}${source}`)
          .keepTime(true)
      ),
    ];
  });
}
