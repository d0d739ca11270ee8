import loadFvad from '@echogarden/fvad-wasm';
import { FRAME_SAMPLES, LINE_RATE_HZ } from '../g711.ts';
import type { VoiceActivity } from './activity.ts';
import { EnergyGate } from './energy-gate.ts';

/** 0 is lenient, 3 strict. */
const AGGRESSIVENESS = 2;

/**
 * Loads WebRTC's voice activity detector (libfvad) once and gives the function that opens a detector for one call. Its
 * verdict counts only where the energy gate agrees, because alone it calls a third of low white noise speech.
 */
export async function loadWebRtcVad(): Promise<() => VoiceActivity> {
  const fvad = await loadFvad();
  const frame = fvad._malloc(FRAME_SAMPLES * 2);
  return () => {
    let state = fvad._fvad_new();
    if (state === 0) throw new Error('no memory for a voice activity detector');
    fvad._fvad_set_mode(state, AGGRESSIVENESS);
    fvad._fvad_set_sample_rate(state, LINE_RATE_HZ);
    const gate = new EnergyGate();
    return {
      push(pcm) {
        if (state === 0 || pcm.length !== FRAME_SAMPLES) return false;
        const loud = gate.push(pcm);
        // HEAP16 is read anew each time: it is replaced when the memory grows.
        fvad.HEAP16.set(pcm, frame >> 1);
        return fvad._fvad_process(state, frame, FRAME_SAMPLES) === 1 && loud;
      },
      close() {
        if (state !== 0) fvad._fvad_free(state);
        state = 0;
      },
    };
  };
}
