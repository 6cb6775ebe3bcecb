import type { ComponentProps } from 'react';
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

interface NumberProps extends Pick<ComponentProps<typeof Input>, 'min' | 'max' | 'step' | 'width'> {
  label: string;
  value: number;
  /** @param value 0 or NaN where the field holds no number */
  onChange: (value: number) => void;
}

function NumberField({ label, onChange, ...input }: NumberProps) {
  return (
    <Field label={label} noMargin>
      <Input type="number" {...input} onChange={({ currentTarget }) => onChange(Number(currentTarget.value))} />
    </Field>
  );
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
          <NumberField
            label={t('config.workerTypes.objective', 'Objective (s)')}
            width={12}
            value={type.latencyObjectiveSeconds ?? DEFAULT_OBJECTIVE_SECONDS}
            onChange={(value) => replace({ latencyObjectiveSeconds: value || DEFAULT_OBJECTIVE_SECONDS })}
          />
          <NumberField
            label={t('config.workerTypes.share', 'Share of time (%)')}
            width={14}
            min={50}
            max={99.999}
            step="any"
            value={percentOf(type.objectiveShare ?? DEFAULT_OBJECTIVE.share)}
            onChange={(value) => replace({ objectiveShare: value / 100 || DEFAULT_OBJECTIVE.share })}
          />
          <NumberField
            label={t('config.workerTypes.days', 'Days')}
            width={10}
            min={1}
            max={90}
            value={type.objectiveDays ?? DEFAULT_OBJECTIVE.days}
            onChange={(value) => replace({ objectiveDays: value || DEFAULT_OBJECTIVE.days })}
          />
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
