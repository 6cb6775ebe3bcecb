import { commaSeparated } from './endpoint';

/** Fields of a payload that hold arguments or what a job made of them, or that are no context. */
const NOT_ALLOWED = /args$|^(?:jid|error_message|error_backtrace|cattr(?:_\d+)?)$/;
/** Names of Ruby methods and of JSON members that people give to attributes. */
const NAME = /^[A-Za-z_][\w.-]{0,63}$/;
const MOST = 10;

/** The fields that the settings allow by name. */
export function contextFieldsOf({ contextFields }: { contextFields: string }): string[] {
  return commaSeparated(contextFields);
}

/** Why a list of fields cannot be used; `undefined` where it can. */
export function contextFieldsProblem(text: string): string | undefined {
  const names = commaSeparated(text);
  const wrong = names.find((name) => !NAME.test(name) || NOT_ALLOWED.test(name));
  return wrong !== undefined
    ? `"${wrong.slice(0, 100)}" cannot be such a field`
    : names.length > MOST
      ? `name ${MOST} fields at most`
      : undefined;
}
