import { Button, Field, IconButton, Input, Stack } from '@grafana/ui';
import { LAGO_CADENCES } from '../../pkg/settings/lago';
import type { SidekiqOptions } from '../types';

type Cadences = NonNullable<SidekiqOptions['cadences']>;

interface Props {
  cadences: Cadences;
  onChange: (cadences: Cadences) => void;
}

/** Job classes that should run again and again, and how often at least. */
export function CadencesEditor({ cadences, onChange }: Props) {
  const replace = (index: number, part: Partial<Cadences[number]>) =>
    onChange(cadences.map((cadence, at) => (at === index ? { ...cadence, ...part } : cadence)));
  return (
    <Stack direction="column" gap={1}>
      {cadences.map((cadence, index) => (
        <Stack key={index} gap={1} alignItems="flex-end">
          <Field label="Job class" noMargin>
            <Input
              width={44}
              value={cadence.class}
              onChange={({ currentTarget }) => replace(index, { class: currentTarget.value })}
            />
          </Field>
          <Field label="At least every (s)" noMargin>
            <Input
              type="number"
              width={16}
              value={cadence.everySeconds}
              onChange={({ currentTarget }) => replace(index, { everySeconds: Number(currentTarget.value) })}
            />
          </Field>
          <IconButton
            name="trash-alt"
            tooltip={`Remove ${cadence.class}`}
            onClick={() => onChange(cadences.filter((_, at) => at !== index))}
          />
        </Stack>
      ))}
      <Stack gap={1}>
        <Button
          size="sm"
          variant="secondary"
          icon="plus"
          onClick={() => onChange([...cadences, { class: 'MyJob', everySeconds: 3600 }])}
        >
          Cadence
        </Button>
        <Button size="sm" variant="secondary" fill="text" onClick={() => onChange(LAGO_CADENCES)}>
          Lago’s clock
        </Button>
      </Stack>
    </Stack>
  );
}
