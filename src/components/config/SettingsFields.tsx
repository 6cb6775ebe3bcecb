import { Field, Input, SecretInput, SecretTextArea, Switch } from '@grafana/ui';
import { listenProblem } from '../../../pkg/settings/endpoint';
import type { SecretName } from '../../../pkg/settings/model';
import type { SidekiqOptions } from '../../types';

type KeysOf<T> = {
  [K in keyof SidekiqOptions]-?: NonNullable<SidekiqOptions[K]> extends T ? K : never;
}[keyof SidekiqOptions] &
  string;

/** The settings that are not secret, and how to change some of them. */
export interface Fields {
  jsonData: SidekiqOptions;
  set: (part: Partial<SidekiqOptions>) => void;
}

interface OptionProps<Name extends string> extends Fields {
  name: Name;
  label: string;
  description?: string;
  /** Shown while the field is empty: an example, or the default. */
  example?: string;
  required?: boolean;
}

/** A text setting. */
export function TextField({
  name,
  label,
  description,
  example,
  required = false,
  jsonData,
  set,
}: OptionProps<KeysOf<string>>) {
  return (
    <Field label={label} description={description} required={required}>
      <Input
        id={`config-${name}`}
        placeholder={example}
        value={jsonData[name] ?? ''}
        onChange={({ currentTarget }) => set({ [name]: currentTarget.value })}
      />
    </Field>
  );
}

/** Addresses to listen at; says at once what is wrong with one. */
export function ListenField({ name, label, description, example, jsonData, set }: OptionProps<KeysOf<string>>) {
  const value = jsonData[name] ?? '';
  const problem = listenProblem(label, value);
  return (
    <Field label={label} description={description} invalid={problem !== undefined} error={problem}>
      <Input
        id={`config-${name}`}
        placeholder={example}
        value={value}
        onChange={({ currentTarget }) => set({ [name]: currentTarget.value })}
      />
    </Field>
  );
}

/** A number setting; empty means its default. */
export function NumberField({ name, label, description, example, jsonData, set }: OptionProps<KeysOf<number>>) {
  return (
    <Field label={label} description={description}>
      <Input
        id={`config-${name}`}
        type="number"
        width={20}
        placeholder={example}
        value={jsonData[name] ?? ''}
        onChange={({ currentTarget: { value } }) => set({ [name]: value === '' ? undefined : Number(value) })}
      />
    </Field>
  );
}

/** A switch. */
export function ToggleField({ name, label, description, jsonData, set }: OptionProps<KeysOf<boolean>>) {
  return (
    <Field label={label} description={description}>
      <Switch
        id={`config-${name}`}
        value={jsonData[name] ?? false}
        onChange={({ currentTarget }) => set({ [name]: currentTarget.checked })}
      />
    </Field>
  );
}

/** A secret by its name: whether it is stored, and how to change it. */
export type SecretOf = (name: SecretName) => Secret;

interface Secret {
  id: SecretName;
  value: string;
  isConfigured: boolean;
  onChange: (value: string) => void;
  onReset: () => void;
}

interface SecretProps extends Secret {
  label: string;
  /** Shown while the field is empty: an example, or the default. */
  example?: string;
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
export function SecretTextField({ id, label, example, value, isConfigured, onChange, onReset }: SecretProps) {
  return (
    <Field label={label}>
      <SecretTextArea
        id={`config-${id}`}
        rows={4}
        // A line of a certificate has 64 characters.
        cols={66}
        placeholder={example}
        isConfigured={isConfigured}
        value={value}
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
        onReset={onReset}
      />
    </Field>
  );
}
