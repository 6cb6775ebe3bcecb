import { t } from '@grafana/i18n';
import { Field, Input } from '@grafana/ui';
import { LAGO_CADENCES } from '../../../pkg/settings/lago';
import type { SidekiqOptions } from '../../types';
import { RowsEditor } from './RowsEditor';

type Cadences = NonNullable<SidekiqOptions['cadences']>;

interface Props {
  cadences: Cadences;
  onChange: (cadences: Cadences) => void;
}

/** Job classes that should run again and again, and how often at least. */
export function CadencesEditor({ cadences, onChange }: Props) {
  return (
    <RowsEditor
      rows={cadences}
      onChange={onChange}
      nameOf={(cadence) => cadence.class}
      add={{ label: t('config.cadences.add', 'Cadence'), row: { class: 'MyJob', everySeconds: 3600 } }}
      preset={{ label: t('config.cadences.lago', 'Lago’s clock'), onClick: () => onChange(LAGO_CADENCES) }}
      fields={(cadence, replace) => (
        <>
          <Field label={t('config.cadences.class', 'Job class')} noMargin>
            <Input
              width={44}
              value={cadence.class}
              onChange={({ currentTarget }) => replace({ class: currentTarget.value })}
            />
          </Field>
          <Field label={t('config.cadences.everySeconds', 'At least every (s)')} noMargin>
            <Input
              type="number"
              width={16}
              value={cadence.everySeconds}
              onChange={({ currentTarget }) => replace({ everySeconds: Number(currentTarget.value) })}
            />
          </Field>
        </>
      )}
    />
  );
}
