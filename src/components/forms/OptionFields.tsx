import { Combobox, Input, TextArea, type ComboboxOption } from '@grafana/ui';
import { QueryField } from '../QueryField';

interface SelectProps<T extends string> {
  id: string;
  label: string;
  help: string;
  value: T;
  options: Array<ComboboxOption<T>>;
  onChange: (value: T) => void;
}

/** A choice among a few named options. */
export function SelectOption<T extends string>({ id, label, help, value, options, onChange }: SelectProps<T>) {
  return (
    <QueryField label={label} help={help}>
      <Combobox<T> id={id} width={28} options={options} value={value} onChange={(option) => onChange(option.value)} />
    </QueryField>
  );
}

interface SuggestProps {
  id: string;
  label: string;
  help: string;
  value: string;
  /** Values to offer; any other may be typed, a variable too. */
  load: () => Promise<string[]>;
  onChange: (value: string) => void;
}

/** A value among suggestions, or any other. */
export function SuggestOption({ id, label, help, value, load, onChange }: SuggestProps) {
  const options = async (typed: string) =>
    (await load())
      .filter((text) => text.toLowerCase().includes(typed.toLowerCase()))
      .map((text) => ({ value: text, label: text }));
  return (
    <QueryField label={label} help={help}>
      <Combobox<string>
        id={id}
        width={28}
        createCustomValue
        options={options}
        value={{ value, label: value }}
        onChange={(option) => onChange(option.value)}
      />
    </QueryField>
  );
}

interface TextProps {
  id: string;
  label: string;
  help: string;
  value: string;
  /** Shown while the field is empty: how a value is written. */
  example?: string;
  onChange: (value: string) => void;
}

/** A text that is taken on leaving the field or with Enter. Its key shows a value that came from elsewhere, as a pasted query. */
export function TextOption({ id, label, help, value, example, onChange }: TextProps) {
  const take = (text: string) => {
    if (text !== value) {
      onChange(text);
    }
  };
  return (
    <QueryField label={label} help={help}>
      <Input
        key={value}
        id={id}
        width={36}
        {...(example !== undefined && { placeholder: example })}
        defaultValue={value}
        onBlur={({ currentTarget }) => take(currentTarget.value.trim())}
        onKeyDown={({ key, currentTarget }) => key === 'Enter' && take(currentTarget.value.trim())}
      />
    </QueryField>
  );
}

/** A text of several lines that is taken on leaving the field. */
export function LongTextOption({ id, label, help, value, onChange }: TextProps) {
  return (
    <QueryField label={label} help={help}>
      <TextArea
        key={value}
        id={id}
        rows={4}
        cols={60}
        defaultValue={value}
        onBlur={({ currentTarget }) => currentTarget.value !== value && onChange(currentTarget.value)}
      />
    </QueryField>
  );
}

interface NumberProps {
  id: string;
  label: string;
  help: string;
  value: number | undefined;
  /** Shown while the field is empty: the default. */
  example: string;
  onChange: (value: number | undefined) => void;
}

/** A number that is taken on leaving the field; empty means its default. */
export function NumberOption({ id, label, help, value, example, onChange }: NumberProps) {
  return (
    <QueryField label={label} help={help}>
      <Input
        key={value}
        id={id}
        type="number"
        min={0}
        width={12}
        placeholder={example}
        defaultValue={value ?? ''}
        onBlur={({ currentTarget: { value: text } }) => {
          const next = text === '' ? undefined : Number(text);
          if (next !== value) {
            onChange(next);
          }
        }}
      />
    </QueryField>
  );
}
