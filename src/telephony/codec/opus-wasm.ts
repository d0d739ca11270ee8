import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** The functions of libopus and its allocator; addresses are offsets into `memory`, which may grow with every call. */
export interface LibOpus {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(bytes: number): number;
  free(address: number): void;
  opus_decoder_create(rateHz: number, channels: number, error: number): number;
  opus_decoder_destroy(decoder: number): void;
  opus_decode_float(
    decoder: number,
    packet: number,
    bytes: number,
    pcm: number,
    maxSamples: number,
    fec: number,
  ): number;
  opus_encoder_create(rateHz: number, channels: number, application: number, error: number): number;
  opus_encoder_destroy(encoder: number): void;
  opus_encode_float(encoder: number, pcm: number, samples: number, packet: number, maxBytes: number): number;
  opus_set_bitrate(encoder: number, bitsPerSecond: number): number;
  opus_set_complexity(encoder: number, complexity: number): number;
  opus_set_inband_fec(encoder: number, on: number): number;
  opus_set_packet_loss_perc(encoder: number, percent: number): number;
  opus_set_signal(encoder: number, signal: number): number;
  opus_set_vbr(encoder: number, on: number): number;
}

/** The part of WebAssembly that is needed: the compiler knows it only together with a browser's document. */
interface WebAssemblyApi {
  readonly Module: {
    new (bytes: Uint8Array): object;
    imports(module: object): readonly { readonly module: string; readonly name: string }[];
  };
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}

let loaded: LibOpus | undefined;

/**
 * libopus of this thread. The first call takes some 15 ms. Of the package opus-codec only its WebAssembly is used, whose
 * imports (files, program arguments) are answered with nothing: libopus has no need of them.
 */
export function libOpus(): LibOpus {
  if (loaded === undefined) {
    const path = createRequire(import.meta.url).resolve('opus-codec/native/index.wasm');
    const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }).WebAssembly;
    const module = new Module(readFileSync(path));
    const imports: Record<string, Record<string, () => number>> = {};
    for (const { module: space, name } of Module.imports(module)) (imports[space] ??= {})[name] = () => 0;
    loaded = new Instance(module, imports).exports as LibOpus;
  }
  return loaded;
}
