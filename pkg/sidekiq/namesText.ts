/** The first of some names in a sentence, and how many more there are: `a, b and 3 more`. @param most names that are told */
export function namesText(names: readonly string[], most: number): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
