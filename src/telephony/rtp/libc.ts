/** The socket calls of the system's C library. Addresses of memory are numbers; every call returns -1 where it fails. */
export interface Libc {
  readonly socket: (family: number, type: number, protocol: number) => number;
  readonly bind: (fd: number, address: number, bytes: number) => number;
  readonly connect: (fd: number, address: number, bytes: number) => number;
  readonly setsockopt: (fd: number, level: number, option: number, value: number, bytes: number) => number;
  readonly send: (fd: number, from: number, bytes: number, flags: number) => number;
  readonly sendto: (fd: number, from: number, bytes: number, flags: number, to: number, toBytes: number) => number;
  readonly sendmmsg: (fd: number, headers: number, count: number, flags: number) => number;
  readonly recv: (fd: number, into: number, bytes: number, flags: number) => number;
  readonly recvmmsg: (fd: number, headers: number, count: number, flags: number, timeout: number) => number;
  readonly dup3: (fd: number, as: number, flags: number) => number;
  readonly close: (fd: number) => number;
  readonly clock_gettime: (clock: number, into: number) => number;
  /** Of the call before. */
  readonly errno: () => number;
  /** Where a buffer's memory lies; it stays there as long as the buffer lives. */
  readonly addressOf: (buffer: ArrayBuffer) => number;
}

const SIGNATURES = {
  socket: ['int', 'int', 'int'],
  bind: ['int', 'uintptr_t', 'uint32_t'],
  connect: ['int', 'uintptr_t', 'uint32_t'],
  setsockopt: ['int', 'int', 'int', 'uintptr_t', 'uint32_t'],
  send: ['int', 'uintptr_t', 'size_t', 'int'],
  sendto: ['int', 'uintptr_t', 'size_t', 'int', 'uintptr_t', 'uint32_t'],
  sendmmsg: ['int', 'uintptr_t', 'uint32_t', 'int'],
  recv: ['int', 'uintptr_t', 'size_t', 'int'],
  recvmmsg: ['int', 'uintptr_t', 'uint32_t', 'int', 'uintptr_t'],
  dup3: ['int', 'int', 'int'],
  close: ['int'],
  clock_gettime: ['int', 'uintptr_t'],
} satisfies Record<Exclude<keyof Libc, 'errno' | 'addressOf'>, string[]>;

let loaded: Promise<Libc | undefined> | undefined;

/**
 * The C library (glibc or musl) on 64-bit Linux, whose structures `polled-sockets.ts` knows; undefined on other systems and
 * where the foreign function interface has no binary. Loaded once a thread.
 */
export function loadLibc(): Promise<Libc | undefined> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Libc | undefined> {
  if (process.platform !== 'linux' || (process.arch !== 'x64' && process.arch !== 'arm64')) return undefined;
  try {
    const { default: ffi } = await import('koffi');
    const library = ffi.load(null);
    const functions = Object.entries(SIGNATURES).map(([name, types]) => [name, library.func(name, 'int', types)]);
    return {
      ...(Object.fromEntries(functions) as Omit<Libc, 'errno' | 'addressOf'>),
      errno: () => ffi.errno(),
      addressOf: (buffer) => Number(ffi.address(buffer)),
    };
  } catch {
    return undefined;
  }
}
