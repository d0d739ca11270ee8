import { describe, expect, test } from 'vitest';
import { allowsTarget, dialable, sipHost, TARGET_PATTERN } from '#domain/transfer.ts';

describe('targets of transfers', () => {
  test('numbers and SIP URIs can be called, what would write into requests cannot', () => {
    expect(dialable(' +86 (21) 6100-1000 ')).toBe('+862161001000');
    expect(dialable('sip:8001@pbx.example;user=phone')).toBe('sip:8001@pbx.example;user=phone');
    for (const bad of [
      '人工',
      'sip:',
      'sip:8001@pbx.example?Route=%3Csip:evil%3E',
      'sip:a@b@c',
      'sip:8001@pbx\r\nRoute: <sip:evil>',
      'sip:8001@pbx>,<sip:evil',
    ])
      expect([bad, dialable(bad)]).toEqual([bad, undefined]);
  });

  test('where some are listed, nobody else is called, however the target is spelled', () => {
    const only = ['+8621*', '8001', '@pbx.example', '@2001:db8::1'];
    for (const allowed of [
      '+862161001000',
      '8001',
      '80 01',
      'sip:9@PBX.example:5070;transport=tcp',
      'sip:[2001:db8::1]',
    ])
      expect([allowed, allowsTarget(only, allowed)]).toEqual([allowed, true]);
    for (const other of [
      '+19005551234',
      '80011',
      '008621',
      'sip:8001@pbx.example.evil',
      'sip:8001@evil;maddr=pbx.example',
      'sip:pbx.example@evil',
      '8001@pbx.example',
    ])
      expect([other, allowsTarget(only, other)]).toEqual([other, false]);
    expect(allowsTarget([], 'sip:anybody@anywhere.example')).toBe(true);
    expect(allowsTarget([], 'nobody')).toBe(false);
  });

  test('the setting holds what is compared and nothing else', () => {
    const pattern = new RegExp(TARGET_PATTERN, 'u');
    for (const good of ['+8621*', '8001', '@pbx.example', '@2001:db8::1'])
      expect([good, pattern.test(good)]).toEqual([good, true]);
    for (const bad of ['', '*', 'pbx.example', 'sip:8001@pbx.example', '@', '80*1'])
      expect(pattern.test(bad)).toBe(false);
    expect(sipHost('8001')).toBeUndefined();
  });
});
