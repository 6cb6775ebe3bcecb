import { t } from '@grafana/i18n';
import { SelectOption } from './OptionFields';

interface Props {
  id: string;
  value: boolean | undefined;
  onChange: (value: boolean) => void;
}

/** Whether the state of IterableJobs is shown. */
export function IterationOption({ id, value, onChange }: Props) {
  return (
    <SelectOption
      id={id}
      label={t('forms.iteration.label', 'Iteration')}
      help={t('forms.iteration.help', 'Cursor and executions of IterableJobs. One read more.')}
      value={value ? 'shown' : 'hidden'}
      options={[
        { value: 'hidden', label: t('forms.iteration.hidden', 'Hidden') },
        { value: 'shown', label: t('forms.iteration.shown', 'Shown') },
      ]}
      onChange={(shown) => onChange(shown === 'shown')}
    />
  );
}
