import { expect, it } from 'vitest';
import { ESPEAK_VOICE_NAMES, espeakVoice } from './voices.ts';

it('takes the language from what is spoken and the timbre from the name', () => {
  expect(espeakVoice('zh-male', 'zh').identifier).toBe('cmn+m3');
  expect(espeakVoice('zh-male', 'en').identifier).toBe('en-us+m3');
  expect(espeakVoice('male', 'zh')).toEqual(espeakVoice('zh-male', 'zh'));
  expect(espeakVoice('cmn', 'zh')).toEqual(espeakVoice('default', 'zh'));
  expect(espeakVoice('cmn+m7', 'zh').identifier).toBe('cmn+m7');
});

it('gives every name a voice of its own', () => {
  const voices = ESPEAK_VOICE_NAMES.map((name) => JSON.stringify(espeakVoice(name, 'zh')));
  expect(new Set(voices).size).toBe(ESPEAK_VOICE_NAMES.length);
});

it('says which voices there are when it has none of that name', () => {
  for (const name of ['nobody', 'cmn+nobody', 'cmn;reboot', '', 'constructor', 'zh-toString'])
    expect(() => espeakVoice(name, 'zh')).toThrow(/zh-female/);
});
