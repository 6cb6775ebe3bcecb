import ky, { HTTPError, TimeoutError } from 'ky';

/** How an attempt to deliver ended. `refused`: the receiver will not take this message later either. */
export type Outcome = { ok: true } | { ok: false; refused: boolean; reason: string };

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
      retry: { limit: 2, methods: ['post'], retryOnTimeout: false, maxRetryAfter: ATTEMPT_MS, backoffLimit: 2000 },
      throwHttpErrors: true,
    });
    await response.body?.cancel();
    return { ok: true };
  } catch (error) {
    if (error instanceof HTTPError) {
      const { status } = error.response;
      await error.response.body?.cancel().catch(() => undefined);
      return { ok: false, refused: REFUSED.has(status), reason: `the receiver answered ${status}` };
    }
    const reason = error instanceof TimeoutError ? `no answer within ${ATTEMPT_MS / 1000} s` : causeOf(error);
    return { ok: false, refused: false, reason };
  }
};

/** The code of a broken connection; messages may repeat the address. */
function causeOf(error: unknown): string {
  const { cause, code } = error as { cause?: { code?: string }; code?: string };
  return `the connection failed (${cause?.code ?? code ?? (error as Error).name})`;
}
