import { t } from '@grafana/i18n';
import { SelectOption } from './OptionFields';

type Format = 'table' | 'logs';

function formats(): Array<{ value: Format; label: string; description: string }> {
  return [
    {
      value: 'table',
      label: t('forms.format.formats.table.label', 'Table'),
      description: t('forms.format.formats.table.description', 'one row per entry'),
    },
    {
      value: 'logs',
      label: t('forms.format.formats.logs.label', 'Logs'),
      description: t('forms.format.formats.logs.description', 'one line per entry, newest first'),
    },
  ];
}

interface Props {
  id: string;
  value: Format | undefined;
  onChange: (format: Format) => void;
}

/** Whether rows are a table or log lines. */
export function FormatOption({ id, value, onChange }: Props) {
  return (
    <SelectOption<Format>
      id={id}
      label={t('forms.format.format.label', 'Format')}
      help={t('forms.format.format.help', 'Logs are shown by the logs panel and by Explore.')}
      value={value ?? 'table'}
      options={formats()}
      onChange={onChange}
    />
  );
}
