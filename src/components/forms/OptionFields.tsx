import { Combobox, InlineField, Input, type ComboboxOption } from '@grafana/ui';

const LABEL_WIDTH = 14;

interface SelectProps<T extends string> {
  id: string;
  label: string;
  tooltip: string;
  value: T;
  options: Array<ComboboxOption<T>>;
  onChange: (value: T) => void;
}

/** A choice among a few named options. */
export function SelectOption<T extends string>({ id, label, tooltip, value, options, onChange }: SelectProps<T>) {
  return (
    <InlineField label={label} labelWidth={LABEL_WIDTH} tooltip={tooltip}>
      <Combobox<T> id={id} width={28} options={options} value={value} onChange={(option) => onChange(option.value)} />
    </InlineField>
  );
}

interface SuggestProps {
  id: string;
  label: string;
  tooltip: string;
  value: string;
  /** Values to offer; any other may be typed, a variable too. */
  load: () => Promise<string[]>;
  onChange: (value: string) => void;
}

/** A value among suggestions, or any other. */
export function SuggestOption({ id, label, tooltip, value, load, onChange }: SuggestProps) {
  const options = async (typed: string) =>
    (await load())
      .filter((text) => text.toLowerCase().includes(typed.toLowerCase()))
      .map((text) => ({ value: text, label: text }));
  return (
    <InlineField label={label} labelWidth={LABEL_WIDTH} tooltip={tooltip}>
      <Combobox<string>
        id={id}
        width={28}
        createCustomValue
        options={options}
        value={{ value, label: value }}
        onChange={(option) => onChange(option.value)}
      />
    </InlineField>
  );
}

interface TextProps {
  id: string;
  label: string;
  tooltip: string;
  value: string;
  onChange: (value: string) => void;
}

/** A text that is taken on leaving the field or with Enter. */
export function TextOption({ id, label, tooltip, value, onChange }: TextProps) {
  const take = (text: string) => {
    if (text !== value) {
      onChange(text);
    }
  };
  return (
    <InlineField label={label} labelWidth={LABEL_WIDTH} tooltip={tooltip}>
      <Input
        id={id}
        width={36}
        defaultValue={value}
        onBlur={({ currentTarget }) => take(currentTarget.value.trim())}
        onKeyDown={({ key, currentTarget }) => key === 'Enter' && take(currentTarget.value.trim())}
      />
    </InlineField>
  );
}

interface NumberProps {
  id: string;
  label: string;
  tooltip: string;
  value: number | undefined;
  placeholder: string;
  onChange: (value: number | undefined) => void;
}

/** A number that is taken on leaving the field; empty means its default. */
export function NumberOption({ id, label, tooltip, value, placeholder, onChange }: NumberProps) {
  return (
    <InlineField label={label} labelWidth={LABEL_WIDTH} tooltip={tooltip}>
      <Input
        id={id}
        type="number"
        min={0}
        width={12}
        placeholder={placeholder}
        defaultValue={value ?? ''}
        onBlur={({ currentTarget: { value: text } }) => {
          const next = text === '' ? undefined : Number(text);
          if (next !== value) {
            onChange(next);
          }
        }}
      />
    </InlineField>
  );
}
