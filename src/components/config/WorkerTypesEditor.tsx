import { t } from '@grafana/i18n';
import { Field, Input, TagsInput } from '@grafana/ui';
import { DEFAULT_OBJECTIVE, DEFAULT_OBJECTIVE_SECONDS } from '../../../pkg/settings/workerTypes';
import { LAGO_WORKER_TYPES } from '../../../pkg/settings/lago';
import type { SidekiqOptions } from '../../types';
import { RowsEditor } from './RowsEditor';

type WorkerTypes = NonNullable<SidekiqOptions['workerTypes']>;

interface Props {
  preset: SidekiqOptions['preset'];
  /** The stored map; the preset’s where nothing is stored. */
  workerTypes: SidekiqOptions['workerTypes'];
  onChange: (workerTypes: WorkerTypes | undefined) => void;
}

/** Without the last digits of a float: 0.999 is 99.9. */
function percentOf(share: number): number {
  return Number((share * 100).toPrecision(7));
}

/** The queue to worker-type map, with a latency objective for each type. */
export function WorkerTypesEditor({ preset, workerTypes, onChange }: Props) {
  const shown: WorkerTypes = workerTypes ?? (preset === 'lago' ? LAGO_WORKER_TYPES : []);
  return (
    <RowsEditor
      rows={shown}
      onChange={onChange}
      nameOf={({ name }) => name}
      add={{
        label: t('config.workerTypes.add', 'Worker type'),
        row: {
          name: t('config.workerTypes.newName', 'New worker type'),
          queues: [],
          latencyObjectiveSeconds: DEFAULT_OBJECTIVE_SECONDS,
        },
      }}
      preset={{
        label: t('config.workerTypes.reset', 'Back to the preset'),
        disabled: workerTypes === undefined,
        onClick: () => onChange(undefined),
      }}
      fields={(type, replace) => (
        <>
          <Field label={t('config.workerTypes.name', 'Worker type')} noMargin>
            <Input
              width={28}
              value={type.name}
              onChange={({ currentTarget }) => replace({ name: currentTarget.value })}
            />
          </Field>
          <Field label={t('config.workerTypes.objective', 'Objective (s)')} noMargin>
            <Input
              type="number"
              width={12}
              value={type.latencyObjectiveSeconds ?? DEFAULT_OBJECTIVE_SECONDS}
              onChange={({ currentTarget }) =>
                replace({ latencyObjectiveSeconds: Number(currentTarget.value) || DEFAULT_OBJECTIVE_SECONDS })
              }
            />
          </Field>
          <Field label={t('config.workerTypes.share', 'Share of time (%)')} noMargin>
            <Input
              type="number"
              width={14}
              min={50}
              max={99.999}
              step="any"
              value={percentOf(type.objectiveShare ?? DEFAULT_OBJECTIVE.share)}
              onChange={({ currentTarget }) =>
                replace({ objectiveShare: Number(currentTarget.value) / 100 || DEFAULT_OBJECTIVE.share })
              }
            />
          </Field>
          <Field label={t('config.workerTypes.days', 'Days')} noMargin>
            <Input
              type="number"
              width={10}
              min={1}
              max={90}
              value={type.objectiveDays ?? DEFAULT_OBJECTIVE.days}
              onChange={({ currentTarget }) =>
                replace({ objectiveDays: Number(currentTarget.value) || DEFAULT_OBJECTIVE.days })
              }
            />
          </Field>
          <Field label={t('config.workerTypes.queueNames', 'Queues')} noMargin>
            <TagsInput
              width={40}
              tags={type.queues ?? []}
              placeholder={t('config.workerTypes.queuePlaceholder', 'Queue, then Enter')}
              onChange={(queues) => replace({ queues })}
            />
          </Field>
        </>
      )}
    />
  );
}
