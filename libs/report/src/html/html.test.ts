import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escape, foreign, html, trusted } from './html.js';

describe('html', () => {
  it('escapes whatever is put into it, in content and in attributes', () => {
    const hostile = `"><script>alert('1')</script>&amp;`;
    expect(html`<p title="${hostile}">${hostile}</p>`.markup).toBe(
      '<p title="&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;">' +
        '&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;</p>',
    );
  });

  it('leaves no character of any text that could end its place', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(escape(text)).not.toMatch(/[<>"'\0]/);
        expect(escape(text).replace(/&(amp|lt|gt|quot|#39);/g, '')).not.toContain('&');
      }),
    );
  });

  it('keeps plain text as it is, in any script', () => {
    expect(escape('ÄΩ 中文 🙂\n\t')).toBe('ÄΩ 中文 🙂\n\t');
  });

  it('replaces what neither HTML nor UTF-8 can carry', () => {
    expect(escape('a\0b\u001bc\ud800d')).toBe('a\ufffdb\ufffdc\ufffdd');
  });

  it('nests templates without escaping twice, and joins lists', () => {
    const items = ['<a>', 'b'].map((text) => html`<li>${text}</li>`);
    expect(html`<p>${items}</p>`.markup).toBe('<p><li>&lt;a&gt;</li><li>b</li></p>');
  });

  it('leaves nothing for null, undefined and false, and writes zero', () => {
    expect(html`${null}${undefined}${false}${0}`.markup).toBe('0');
  });

  it('drops its own indentation and keeps that of its parts', () => {
    const template = Object.assign(['<p>\n      ', '</p>'], { raw: [] });
    expect(html(template, 'a\n  b').markup).toBe('<p>\na\n  b</p>');
  });

  it('passes trusted markup, and isolates foreign text', () => {
    expect(html`${trusted('<b>')}${foreign('<i>')}`.markup).toBe('<b><bdi>&lt;i&gt;</bdi>');
  });
});
