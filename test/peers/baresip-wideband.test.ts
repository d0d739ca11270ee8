import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { readTlsIdentity } from '#telephony/sip/transport/tls-identity.ts';
import type { WavAudio } from '#voice/tts/wav.ts';
import { baresipInstalled, startBaresip } from '../support/baresip.ts';
import { openParty } from '../support/party.ts';
import type { Party, Talk } from '../support/party.ts';

const HOST = '127.0.0.1';
const [OURS, THEIRS] = [700, 440];

const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** Goertzel: how many pieces of 20 ms are nearly nothing but the tone, and its middle amplitude in them. */
function toneIn({ samples, rateHz }: WavAudio, hz: number): { readonly pieces: number; readonly amplitude: number } {
  const amplitudes: number[] = [];
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / rateHz);
  const piece = rateHz / 50;
  for (let at = 0; at + piece <= samples.length; at += piece) {
    let [last, before, power] = [0, 0, 1];
    for (const sample of samples.subarray(at, at + piece)) {
      [last, before] = [sample + coefficient * last - before, last];
      power += sample * sample;
    }
    const squared = last * last + before * before - coefficient * last * before;
    if ((2 * squared) / (piece * power) > 0.9) amplitudes.push((2 * Math.sqrt(squared)) / piece);
  }
  amplitudes.sort((a, b) => a - b);
  return { pieces: amplitudes.length, amplitude: amplitudes[amplitudes.length >> 1] ?? 0 };
}

/** Wideband codecs against baresip's, which are spandsp's G.722 and libopus; without it these are skipped. */
describe.skipIf(!baresipInstalled)('baresip with a wideband codec', () => {
  const cleanUp: (() => unknown)[] = [];
  afterEach(async () => {
    for (const one of cleanUp.splice(0).toReversed()) await one();
  });

  async function start(options: Parameters<typeof startBaresip>[0]) {
    const peer = await startBaresip(options);
    cleanUp.push(() => peer.stop());
    return peer;
  }

  async function openOne(options: Parameters<typeof openParty>[0]): Promise<Party> {
    const party = await openParty(options);
    cleanUp.push(() => party.close());
    return party;
  }

  /** Two seconds of both tones and the end of the call; then what baresip heard. */
  async function talkOver(talk: Talk, peer: Awaited<ReturnType<typeof start>>): Promise<void> {
    for (let i = 0; i < 5; i++) await talk.hears(THEIRS);
    const stats = talk.leg.stats();
    talk.call.hangup();
    await peer.says('session closed');
    // It says how long the file is when it closes it, and that is a little later.
    await expect.poll(async () => (await peer.heard()).samples.length, { timeout: 5_000 }).toBeGreaterThan(0);
    const { pieces, amplitude } = toneIn(await peer.heard(), OURS);
    expect(pieces).toBeGreaterThan(60);
    // At our level of 8000, within 1 dB.
    expect(Math.abs(20 * Math.log10(amplitude / 8000))).toBeLessThan(1);
    expect(stats.packetsLost).toBe(0);
  }

  it('G.722 over UDP: each hears the other’s tone, digits come', async () => {
    const peer = await start({ modules: ['g722', 'sndfile'], account: ';audio_codecs=G722/16000/1' });
    const party = await openOne({
      hz: OURS,
      rtp: { first: 43_500, last: 43_519 },
      media: { codecs: ['G722', 'PCMA'] },
    });
    const talk = await party.call(`sip:peer@${HOST}:${peer.port}`);
    await talk.hears(THEIRS);
    expect(talk.leg.stats().codec).toBe('G722');
    peer.command('sndcode', '5');
    await talk.pressed('5');
    await talkOver(talk, peer);
  });

  it.skipIf(!hasOpenssl)('Opus over TLS and SRTP: each hears the other’s tone, digits come', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'baresip-tls-'));
    cleanUp.push(() => rmSync(folder, { recursive: true }));
    const [key, certificate, both] = ['key.pem', 'certificate.pem', 'both.pem'].map((name) => join(folder, name));
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=baresip'].concat([
        '-addext',
        `subjectAltName=IP:${HOST}`,
        '-keyout',
        key!,
        '-out',
        certificate!,
      ]),
      { stdio: 'ignore' },
    );
    writeFileSync(both!, readFileSync(key!, 'utf8') + readFileSync(certificate!, 'utf8'));
    const peer = await start({
      modules: ['opus', 'srtp', 'sndfile'],
      account: ';audio_codecs=opus/48000/2;mediaenc=srtp-mand',
      certificate: both!,
    });
    const tls = readTlsIdentity({ authorities: [certificate!] });
    const party = await openOne({
      hz: OURS,
      rtp: { first: 43_520, last: 43_539 },
      bind: [{ protocol: 'TLS', address: HOST, port: 0, tls }],
      media: { codecs: ['opus', 'PCMA'], srtp: 'required' },
    });
    const talk = await party.call(`sip:peer@${HOST}:${peer.port + 1};transport=tls`);
    await talk.hears(THEIRS);
    expect(talk.leg.stats().codec).toBe('opus');
    peer.command('sndcode', '5');
    await talk.pressed('5');
    await talkOver(talk, peer);
  });
});
