import { SelectOption } from './OptionFields';

type Format = 'table' | 'logs';

const FORMATS: Array<{ value: Format; label: string; description: string }> = [
  { value: 'table', label: 'Table', description: 'a row each' },
  { value: 'logs', label: 'Logs', description: 'a line each, the newest first' },
];

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
      label="Format"
      help="Logs are shown by the logs panel and by Explore."
      value={value ?? 'table'}
      options={FORMATS}
      onChange={onChange}
    />
  );
}
