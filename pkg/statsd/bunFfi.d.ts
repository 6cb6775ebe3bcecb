/** The part of Bun's foreign function interface that is used here. */
declare module 'bun:ffi' {
  interface Signature {
    args: string[];
    returns: string;
  }
  export function dlopen<T extends Record<string, Signature>>(
    library: string,
    signatures: T
  ): { symbols: { [K in keyof T]: (...args: unknown[]) => number }; close(): void };
  export function ptr(view: Uint8Array): unknown;
}
