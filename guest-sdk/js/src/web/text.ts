/** UTF-8, the one encoding that the standard asks to write. */
const REPLACEMENT = 0xfffd;

export class TextEncoder {
  readonly encoding = "utf-8";

  encode(text = ""): Uint8Array {
    const source = String(text);
    const bytes = new Uint8Array(source.length * 3);
    return bytes.slice(0, this.encodeInto(source, bytes).written);
  }

  encodeInto(text: string, bytes: Uint8Array): { read: number; written: number } {
    let [read, written] = [0, 0];
    // `for of` goes by code point; halves of pairs become the replacement character.
    for (const character of text) {
      let point = character.codePointAt(0)!;
      if (point >= 0xd800 && point <= 0xdfff) point = REPLACEMENT;
      const length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
      if (written + length > bytes.length) break;
      if (length === 1) bytes[written] = point;
      else {
        for (let i = length - 1; i > 0; i--, point >>= 6) bytes[written + i] = 0x80 | (point & 0x3f);
        bytes[written] = (0xf00 >> length) & 0xff | point;
      }
      written += length;
      read += character.length;
    }
    return { read, written };
  }
}

export class TextDecoder {
  readonly encoding = "utf-8";
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  #rest: number[] = [];

  constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
    if (!/^\s*(utf-?8|unicode-1-1-utf-8)\s*$/i.test(label)) throw new RangeError(`the encoding \`${label}\` is not known: only utf-8 is`);
    this.fatal = fatal;
    this.ignoreBOM = ignoreBOM;
  }

  decode(input: ArrayBuffer | ArrayBufferView = new Uint8Array(), { stream = false } = {}): string {
    const view = ArrayBuffer.isView(input) ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength) : new Uint8Array(input);
    const bytes = this.#rest.length > 0 ? Uint8Array.from([...this.#rest, ...view]) : view;
    this.#rest = [];
    const parts: string[] = [];
    let points: number[] = [];
    for (let at = 0; at < bytes.length; ) {
      const [point, length] = this.#next(bytes, at);
      if (point === undefined && stream) {
        this.#rest = [...bytes.subarray(at)];
        break;
      }
      if (point === undefined || point < 0) {
        if (this.fatal) throw new TypeError("the bytes are no UTF-8");
        points.push(REPLACEMENT);
      } else points.push(point);
      at += length;
      // So many arguments a call can take for sure.
      if (points.length >= 4096) {
        parts.push(String.fromCodePoint(...points));
        points = [];
      }
    }
    const text = parts.join("") + String.fromCodePoint(...points);
    return !this.ignoreBOM && text.startsWith("\ufeff") ? text.slice(1) : text;
  }

  /** The code point and its length; -1: wrong bytes; undefined: the end cuts it off. */
  #next(bytes: Uint8Array, at: number): [number | undefined, number] {
    const first = bytes[at]!;
    if (first < 0x80) return [first, 1];
    const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4) return [-1, 1];
    let point = first & (0x7f >> length);
    for (let i = 1; i < length; i++) {
      const byte = bytes[at + i];
      if (byte === undefined) return [undefined, i];
      // The second byte is bounded more closely: no overlong forms, no surrogates, nothing above U+10FFFF.
      const least = i > 1 ? 0x80 : first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
      const most = i > 1 ? 0xbf : first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
      if (byte < least || byte > most) return [-1, i];
      point = (point << 6) | (byte & 0x3f);
    }
    return [point, length];
  }
}
