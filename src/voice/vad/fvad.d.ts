declare module '@echogarden/fvad-wasm' {
  export interface Fvad {
    /** Another array after memory has grown. */
    readonly HEAP16: Int16Array;
    _malloc(bytes: number): number;
    _fvad_new(): number;
    _fvad_free(state: number): void;
    _fvad_set_mode(state: number, mode: number): number;
    _fvad_set_sample_rate(state: number, rateHz: number): number;
    /** 1 speech, 0 none, −1 wrong frame length. */
    readonly _fvad_process: (this: void, state: number, frame: number, samples: number) => number;
  }
  export default function load(): Promise<Fvad>;
}
