import { t } from '@grafana/i18n';
import { SelectOption } from './OptionFields';

interface Props {
  id: string;
  label: string;
  help: string;
  value: boolean | undefined;
  onChange: (value: boolean) => void;
}

/** Whether columns are shown that are hidden by default. */
export function ShownOption({ id, label, help, value, onChange }: Props) {
  return (
    <SelectOption
      id={id}
      label={label}
      help={help}
      value={value ? 'shown' : 'hidden'}
      options={[
        { value: 'hidden', label: t('forms.shown.hidden', 'Hidden') },
        { value: 'shown', label: t('forms.shown.shown', 'Shown') },
      ]}
      onChange={(shown) => onChange(shown === 'shown')}
    />
  );
}
