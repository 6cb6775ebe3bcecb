import ky, { HTTPError, TimeoutError } from 'ky';

/**
 * How an attempt to deliver ended. `refused`: the receiver will not take this message later either; `afterSeconds`: it asks
 * not to be called again before that.
 */
export type Outcome = { ok: true } | { ok: false; refused: boolean; reason: string; afterSeconds?: number };

/** Sends one message. */
export type Send = (url: string, body: unknown, signal: AbortSignal) => Promise<Outcome>;

const ATTEMPT_MS = 10_000;
/** Statuses by which a receiver says that the message itself is wrong. */
const REFUSED = new Set([400, 413, 415, 422]);

/**
 * Posts a message as JSON. Within one call it is tried three times (408, 429, 5xx, broken connections), as ky does it. The
 * answer's body is not read, so that no receiver can hold or fill this process. The address is never part of the reason:
 * it may hold a secret.
 */
export const post: Send = async (url, body, signal) => {
  try {
    const response = await ky.post(url, {
      json: body,
      signal,
      timeout: ATTEMPT_MS,
      redirect: 'manual',
      retry: {
        limit: 2,
        methods: ['post'],
        retryOnTimeout: false,
        backoffLimit: 2000,
        // One that says when to come again is not asked before.
        shouldRetry: ({ error }) =>
          error instanceof HTTPError && error.response.headers.has('retry-after') ? false : undefined,
      },
      throwHttpErrors: true,
    });
    await response.body?.cancel();
    return { ok: true };
  } catch (error) {
    if (error instanceof HTTPError) {
      const { status } = error.response;
      await error.response.body?.cancel().catch(() => undefined);
      const afterSeconds = retryAfter(error.response.headers.get('retry-after'));
      return {
        ok: false,
        refused: REFUSED.has(status),
        reason: `the receiver answered ${status}`,
        ...(afterSeconds !== null && { afterSeconds }),
      };
    }
    const reason = error instanceof TimeoutError ? `no answer within ${ATTEMPT_MS / 1000} s` : causeOf(error);
    return { ok: false, refused: false, reason };
  }
};

/** Seconds of the header Retry-After, which is a number of them or a date (RFC 9110, 10.2.3); `null` for anything else. */
function retryAfter(header: string | null): number | null {
  if (header === null) {
    return null;
  }
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return seconds > 0 ? seconds : null;
}

/** The code of a broken connection; messages may repeat the address. */
function causeOf(error: unknown): string {
  const { cause, code } = error as { cause?: { code?: string }; code?: string };
  return `the connection failed (${cause?.code ?? code ?? (error as Error).name})`;
}
