/** Query types that can be watched live: those that a snapshot alone answers. */
export const STREAMED_TYPES: readonly string[] = ['overview', 'queues', 'processes', 'busy'];
