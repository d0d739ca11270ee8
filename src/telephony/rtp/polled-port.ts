import { closeSync, openSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import type { PolledSockets } from './polled-sockets.ts';
import {
  addressBytes,
  familyOf,
  reaches,
  readAddress,
  readPort,
  sameHost,
  writeSocketAddress,
} from './socket-address.ts';
import { RECEIVE_BUFFER_BYTES, type DatagramHandler, type UdpPort } from './udp-port.ts';

const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const EAGAIN = 11;
const EINTR = 4;
/** A flood must not keep the tick from the other calls: beyond, datagrams wait for the next one. */
const MAX_BATCHES = 64;
const MAX_DISCARDED = 100_000;

/** A non-blocking socket of the C library that is read when its owner drains it, so that a datagram costs no event. */
export class PolledPort implements UdpPort {
  readonly port: number;
  onDatagram: DatagramHandler | undefined;
  sendFailures = 0;
  /** Its descriptor, this port's to close, for who sends many datagrams at once. */
  readonly fd: number;
  readonly #sockets: PolledSockets;
  readonly #family: number;
  readonly #addressBytes: number;
  /** Where the last unconnected datagram went, and where the last received one came from. */
  readonly #to = new Uint8Array(28);
  #toAddress: string | undefined;
  #toPort = -1;
  readonly #from = new Uint8Array(28);
  #fromAddress = '';
  #connected = false;
  #closed: Promise<void> | undefined;

  private constructor(sockets: PolledSockets, fd: number, family: number, port: number) {
    this.#sockets = sockets;
    this.fd = fd;
    this.#family = family;
    this.#addressBytes = addressBytes(family);
    this.port = port;
  }

  /** Undefined where the port is taken; throws the system's error where the address cannot be bound at all. */
  static open(sockets: PolledSockets, address: string, port: number): PolledPort | undefined {
    const { libc, scratch, scratchAddress } = sockets;
    const family = familyOf(address);
    const fd = openTrackedSocket(sockets, family);
    try {
      sockets.setOption(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
      sockets.stampArrivals(fd);
      writeSocketAddress(scratch, family, address, port);
      if (libc.bind(fd, scratchAddress, addressBytes(family)) === 0) return new PolledPort(sockets, fd, family, port);
      const error = systemError(sockets, 'bind');
      if (error.code !== 'EADDRINUSE') throw error;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
    return undefined;
  }

  send(bytes: Uint8Array, address: string, port: number): void {
    if (this.#closed !== undefined) return;
    const { libc, out, outAddress, scratch, scratchAddress } = this.#sockets;
    if (bytes.length > out.length || !(this.#connected || this.#direct(address, port))) {
      this.sendFailures++;
      return;
    }
    out.set(bytes);
    if (this.#connected) {
      if (libc.send(this.fd, outAddress, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) this.sendFailures++;
      return;
    }
    scratch.set(this.#to);
    const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    if (libc.sendto(this.fd, outAddress, bytes.length, flags, scratchAddress, this.#addressBytes) < 0)
      this.sendFailures++;
  }

  connect(address: string, port: number): void {
    if (this.#closed !== undefined || this.#connected) return;
    const { libc, scratch, scratchAddress } = this.#sockets;
    if (!reaches(this.#family, address)) {
      this.sendFailures++;
      return;
    }
    writeSocketAddress(scratch, this.#family, address, port);
    if (libc.connect(this.fd, scratchAddress, this.#addressBytes) === 0) this.#connected = true;
    else this.sendFailures++;
  }

  disconnect(): void {
    if (this.#closed !== undefined || !this.#connected) return;
    this.#connected = false;
    const { libc, scratch, scratchAddress } = this.#sockets;
    // The family of nobody, AF_UNSPEC; the local address and port stay because they were bound.
    scratch.fill(0);
    if (libc.connect(this.fd, scratchAddress, this.#addressBytes) !== 0) this.sendFailures++;
  }

  drain(): void {
    const sockets = this.#sockets;
    if (sockets.receiving) return;
    sockets.receiving = true;
    try {
      for (let batch = 0; batch < MAX_BATCHES && this.#closed === undefined; batch++) {
        const count = sockets.receive(this.fd);
        if (count < 0) {
          const errno = sockets.libc.errno();
          if (errno === EAGAIN) return;
          // What became of a datagram that was sent before, e.g. "connection refused"; the next call goes on.
          if (errno !== EINTR) this.sendFailures++;
          continue;
        }
        const nowMs = sockets.nowMs();
        for (let i = 0; i < count; i++) this.#deliver(i, nowMs);
        if (sockets.isLast(count)) return;
      }
    } finally {
      sockets.receiving = false;
    }
  }

  discard(): void {
    const { libc, scratchAddress } = this.#sockets;
    if (this.#closed !== undefined) return;
    // A datagram read into no memory is gone.
    for (let i = 0; i < MAX_DISCARDED; i++)
      if (libc.recv(this.fd, scratchAddress, 0, MSG_DONTWAIT) < 0 && libc.errno() === EAGAIN) return;
  }

  close(): Promise<void> {
    if (this.#closed === undefined) {
      this.#closed = Promise.resolve();
      this.onDatagram = undefined;
      closeSync(this.fd);
    }
    return this.#closed;
  }

  #deliver(index: number, nowMs: number): void {
    const sockets = this.#sockets;
    const bytes = sockets.datagram(index);
    const source = sockets.source(index);
    if (!sameHost(source, this.#from)) {
      this.#from.set(source);
      this.#fromAddress = readAddress(source);
    }
    const atMs = sockets.arrivalMs(index, nowMs);
    sockets.done(index);
    if (bytes !== undefined) this.onDatagram?.(bytes, this.#fromAddress, readPort(source), atMs);
  }

  /** False for what this socket does not reach: the address of an SDP is what somebody wrote there. */
  #direct(address: string, port: number): boolean {
    if (address !== this.#toAddress) {
      if (!reaches(this.#family, address)) return false;
      writeSocketAddress(this.#to, this.#family, address, port);
      this.#toAddress = address;
      this.#toPort = port;
    } else if (port !== this.#toPort) {
      this.#to[2] = port >> 8;
      this.#to[3] = port;
      this.#toPort = port;
    }
    return true;
  }
}

/**
 * A UDP socket under a file descriptor that Node knows: it closes those of a thread that ends, however it ends, which it does
 * not do for what the C library opens by itself.
 */
function openTrackedSocket(sockets: PolledSockets, family: number): number {
  const { libc } = sockets;
  const socket = libc.socket(family, SOCK_DGRAM | SOCK_NONBLOCK | O_CLOEXEC, 0);
  if (socket < 0) throw systemError(sockets, 'socket');
  try {
    const tracked = openSync('/dev/null', 'r');
    if (libc.dup3(socket, tracked, O_CLOEXEC) >= 0) return tracked;
    const error = systemError(sockets, 'dup3');
    closeSync(tracked);
    throw error;
  } finally {
    libc.close(socket);
  }
}

function systemError(sockets: PolledSockets, call: string): NodeJS.ErrnoException {
  const errno = sockets.libc.errno();
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`${call} ${code}`), { code, errno: -errno, syscall: call });
}
