import { t } from '@grafana/i18n';
import { InlineSwitch } from '@grafana/ui';
import type { SidekiqQuery } from '../types';
import { NumberOption } from './forms/OptionFields';
import { QueryField } from './QueryField';

interface Props {
  query: SidekiqQuery;
  /** Each reading adds a point; the others replace what is shown. */
  appends: boolean;
  change: (part: Partial<SidekiqQuery>) => void;
}

/** Whether figures are pushed as they come, how often, and how many points are kept. */
export function LiveOptions({ query, appends, change }: Props) {
  return (
    <>
      <QueryField
        label={t('live.label', 'Live')}
        help={t('live.help', 'New figures are pushed as they are read, without a dashboard refresh.')}
      >
        <InlineSwitch
          id={`query-live-${query.refId}`}
          value={query.live ?? false}
          onChange={({ currentTarget }) => change({ live: currentTarget.checked })}
        />
      </QueryField>
      {query.live && (
        <NumberOption
          id={`query-live-every-${query.refId}`}
          label={t('live.interval.label', 'Interval (s)')}
          help={t(
            'live.interval.help',
            'Seconds between two pushes; the interval of the panel by default, and never less than one second.'
          )}
          value={query.liveEverySeconds}
          example={t('live.auto', 'auto')}
          onChange={(liveEverySeconds) => change({ liveEverySeconds })}
        />
      )}
      {query.live && appends && (
        <NumberOption
          id={`query-live-points-${query.refId}`}
          label={t('live.points.label', 'Points')}
          help={t('live.points.help', 'Points kept on the panel; older points are removed.')}
          value={query.livePoints}
          example={t('live.auto', 'auto')}
          onChange={(livePoints) => change({ livePoints })}
        />
      )}
    </>
  );
}
