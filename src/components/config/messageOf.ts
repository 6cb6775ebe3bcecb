/** The sentence of an answer of Grafana's API, or of an error. */
export function messageOf(error: unknown): string {
  const { data, message } = error as { data?: { message?: string }; message?: string };
  return data?.message ?? message ?? String(error);
}
