import { Field, Input, SecretInput, SecretTextArea } from '@grafana/ui';
import { listenProblem } from '../../pkg/settings/endpoint';
import type { SidekiqOptions } from '../types';

type KeysOf<T> = {
  [K in keyof SidekiqOptions]-?: NonNullable<SidekiqOptions[K]> extends T ? K : never;
}[keyof SidekiqOptions] &
  string;

interface OptionProps<Name extends string> {
  name: Name;
  label: string;
  description?: string;
  placeholder?: string;
  required?: boolean;
  jsonData: SidekiqOptions;
  set: (part: Partial<SidekiqOptions>) => void;
}

/** A text setting. */
export function TextField({
  name,
  label,
  description,
  placeholder,
  required = false,
  jsonData,
  set,
}: OptionProps<KeysOf<string>>) {
  return (
    <Field label={label} description={description} required={required}>
      <Input
        id={`config-${name}`}
        placeholder={placeholder}
        value={jsonData[name] ?? ''}
        onChange={({ currentTarget }) => set({ [name]: currentTarget.value })}
      />
    </Field>
  );
}

/** Addresses to listen at; says at once what is wrong with one. */
export function ListenField({ name, label, description, placeholder, jsonData, set }: OptionProps<KeysOf<string>>) {
  const value = jsonData[name] ?? '';
  const problem = listenProblem(name, value);
  return (
    <Field label={label} description={description} invalid={problem !== undefined} error={problem}>
      <Input
        id={`config-${name}`}
        placeholder={placeholder}
        value={value}
        onChange={({ currentTarget }) => set({ [name]: currentTarget.value })}
      />
    </Field>
  );
}

/** A number setting; empty means its default. */
export function NumberField({ name, label, description, placeholder, jsonData, set }: OptionProps<KeysOf<number>>) {
  return (
    <Field label={label} description={description}>
      <Input
        id={`config-${name}`}
        type="number"
        width={20}
        placeholder={placeholder}
        value={jsonData[name] ?? ''}
        onChange={({ currentTarget: { value } }) => set({ [name]: value === '' ? undefined : Number(value) })}
      />
    </Field>
  );
}

interface SecretProps {
  id: string;
  label: string;
  placeholder?: string;
  value: string;
  isConfigured: boolean;
  onChange: (value: string) => void;
  onReset: () => void;
}

/** A secret of one line; Grafana encrypts it and never sends it back. */
export function SecretField({ id, label, value, isConfigured, onChange, onReset }: SecretProps) {
  return (
    <Field label={label}>
      <SecretInput
        id={`config-${id}`}
        isConfigured={isConfigured}
        value={value}
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
        onReset={onReset}
      />
    </Field>
  );
}

/** A secret of several lines: a certificate or a key. */
export function SecretTextField({ id, label, placeholder, value, isConfigured, onChange, onReset }: SecretProps) {
  return (
    <Field label={label}>
      <SecretTextArea
        id={`config-${id}`}
        rows={4}
        placeholder={placeholder}
        isConfigured={isConfigured}
        value={value}
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
        onReset={onReset}
      />
    </Field>
  );
}
