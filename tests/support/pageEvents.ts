import type { PageData } from '../../pkg/web/model';

/** The first event that somebody receives who opens the page of the executable. */
export async function firstEvent(url: string, headers: Record<string, string> = {}): Promise<PageData> {
  const abort = new AbortController();
  const answer = await fetch(`${url}/events`, { headers, signal: abort.signal });
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes('\n\n') && text.includes('data: ')) {
      break;
    }
  }
  abort.abort();
  return JSON.parse(/data: (.*)\n\n/.exec(text)![1]!) as PageData;
}
