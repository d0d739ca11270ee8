import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFileDecoder } from './encoding.ts';
import { layOut } from './columns.ts';
import { previewImport } from './preview.ts';

// 手机号,姓名\n13800138000,张伟\n in GB18030, made with iconv.
const GB18030 = Buffer.from('cad6bbfabac52cd0d5c3fb0a31333830303133383030302cd5c5ceb00a', 'hex');

describe('previewImport', () => {
  it.each([
    ['UTF-8', Buffer.from('手机号,姓名\n13800138000,张伟\n'), 'utf-8'],
    ['UTF-8 with a byte order mark', Buffer.from('\ufeff手机号,姓名\r\n13800138000,张伟\r\n'), 'utf-8'],
    ['GB18030', GB18030, 'gb18030'],
    ['UTF-16LE of Excel', Buffer.from('\ufeff手机号\t姓名\r\n13800138000\t张伟\r\n', 'utf16le'), 'utf-16le'],
  ])('reads %s', (_, bytes, encoding) => {
    expect(previewImport(bytes)).toEqual({
      encoding,
      columns: ['手机号', '姓名'],
      rows: [['13800138000', '张伟']],
      guess: { phone: '手机号', name: '姓名', ignore: [], rename: {} },
    });
  });

  it.each([
    ['序号,客户姓名,联系电话,金额', '联系电话', '客户姓名'],
    ['Phone Number;Full Name', 'Phone Number', 'Full Name'],
    ['name\tmobile_phone', 'mobile_phone', 'name'],
    ['家长姓名,家长手机号(必填)', '家长手机号(必填)', '家长姓名'],
    ['Tel.,NAME', 'Tel.', 'NAME'],
    ['编号,金额', null, null],
  ])('guesses the columns of %s', (header, phone, name) => {
    expect(previewImport(Buffer.from(header)).guess).toMatchObject({ phone, name });
  });

  it('finds the phone column by what stands in it when no header tells', () => {
    expect(previewImport(Buffer.from('a,b\n1,13800138000\n2,139 0013 9000\n')).guess.phone).toBe('b');
  });

  it('keeps columns of the same or no name apart', () => {
    expect(previewImport(Buffer.from('电话,电话,,备注\n')).columns).toEqual(['电话', '电话 (2)', '列3', '备注']);
  });

  it.each([
    ['', 'empty'],
    ['\n\r\n', 'empty'],
    ['13800138000,张伟\n13900139000,王芳\n', 'first row'],
    ['PK\u0003\u0004xl', 'workbook'],
  ])('refuses %j with a sentence', (text, why) => {
    expect(() => previewImport(Buffer.from(text))).toThrow(why);
  });
});

describe('createFileDecoder', () => {
  it('gives the same text however the bytes are cut', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ',', '张', '伟', '\n', '𠮷') });
    const cuts = fc.array(fc.nat(), { maxLength: 6 });
    fc.assert(
      fc.property(
        text,
        fc.boolean(),
        fc.constantFrom<BufferEncoding>('utf8', 'utf16le'),
        cuts,
        (body, mark, encoding, at) => {
          const marked = mark || encoding === 'utf16le';
          const bytes = Buffer.from(`${marked ? '\ufeff' : ''}${body}`, encoding);
          const bounds = [0, ...at.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
          const decoder = createFileDecoder();
          let decoded = '';
          for (const [index, bound] of bounds.slice(1).entries())
            decoded += decoder.decode(bytes.subarray(bounds[index], bound));
          expect(decoded + decoder.end()).toBe(body);
        },
      ),
    );
  });

  it('finds GB18030 that begins only after much ASCII', () => {
    const decoder = createFileDecoder();
    const ascii = decoder.decode(Buffer.from('phone,name\n'.repeat(50_000)));
    const chinese = decoder.decode(GB18030) + decoder.end();
    expect(decoder.encoding).toBe('gb18030');
    expect(ascii.length + chinese.length).toBe(50_000 * 11 + 22);
    expect(chinese).toContain('张伟');
  });

  it('stays with UTF-8 when a few bytes of a file are broken', () => {
    const decoder = createFileDecoder();
    const good = Buffer.from('13800138000,张伟\n'.repeat(500));
    const text = decoder.decode(Buffer.concat([good, Buffer.from([0xff, 0x0a]), good])) + decoder.end();
    expect(decoder.encoding).toBe('utf-8');
    expect(text.split('张伟')).toHaveLength(1001);
  });
});

describe('layOut', () => {
  it('reports every problem of a mapping at once', () => {
    const mapping = { phone: null, name: '名', ignore: ['x'], rename: { a: 'b', 没有: 'z' } };
    const problems = ((): readonly { path: string }[] => {
      try {
        layOut(['a', 'b'], mapping);
      } catch (error) {
        return (error as { problems: readonly { path: string }[] }).problems;
      }
      return [];
    })();
    expect(problems.map((problem) => problem.path)).toEqual([
      'mapping.phone',
      'mapping.name',
      'mapping.ignore',
      'mapping.rename',
      'mapping.rename',
    ]);
  });
});
