import { Button, Field, IconButton, Input, Stack, TagsInput } from '@grafana/ui';
import { LAGO_WORKER_TYPES } from '../../pkg/settings/lago';
import type { SidekiqOptions } from '../types';

type WorkerTypes = NonNullable<SidekiqOptions['workerTypes']>;

interface Props {
  /** The stored map; the preset where nothing is stored. */
  workerTypes: SidekiqOptions['workerTypes'];
  onChange: (workerTypes: WorkerTypes | undefined) => void;
}

const DEFAULT_OBJECTIVE_SECONDS = 300;

/** The queue to worker-type map, with a latency objective for each type. */
export function WorkerTypesEditor({ workerTypes, onChange }: Props) {
  const shown: WorkerTypes = workerTypes ?? LAGO_WORKER_TYPES;
  const replace = (index: number, part: Partial<WorkerTypes[number]>) =>
    onChange(shown.map((type, at) => (at === index ? { ...type, ...part } : type)));
  return (
    <Stack direction="column" gap={2}>
      {shown.map((type, index) => (
        <Stack key={index} gap={1} alignItems="flex-end" wrap="wrap">
          <Field label="Worker type" noMargin>
            <Input
              width={28}
              value={type.name}
              onChange={({ currentTarget }) => replace(index, { name: currentTarget.value })}
            />
          </Field>
          <Field label="Objective (s)" noMargin>
            <Input
              type="number"
              width={12}
              value={type.latencyObjectiveSeconds ?? DEFAULT_OBJECTIVE_SECONDS}
              onChange={({ currentTarget }) =>
                replace(index, { latencyObjectiveSeconds: Number(currentTarget.value) || DEFAULT_OBJECTIVE_SECONDS })
              }
            />
          </Field>
          <Field label="Queues" noMargin>
            <TagsInput
              width={40}
              tags={type.queues ?? []}
              placeholder="Queue, then Enter"
              onChange={(queues) => replace(index, { queues })}
            />
          </Field>
          <IconButton
            name="trash-alt"
            tooltip={`Remove ${type.name}`}
            onClick={() => onChange(shown.filter((_, at) => at !== index))}
          />
        </Stack>
      ))}
      <Stack gap={1}>
        <Button
          size="sm"
          variant="secondary"
          icon="plus"
          onClick={() =>
            onChange([
              ...shown,
              { name: 'New worker type', queues: [], latencyObjectiveSeconds: DEFAULT_OBJECTIVE_SECONDS },
            ])
          }
        >
          Worker type
        </Button>
        <Button
          size="sm"
          variant="secondary"
          fill="text"
          disabled={workerTypes === undefined}
          onClick={() => onChange(undefined)}
        >
          Back to the Lago preset
        </Button>
      </Stack>
    </Stack>
  );
}
