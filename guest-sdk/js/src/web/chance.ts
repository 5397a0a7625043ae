/**
 * Chance from the host: derived from the run's seed, and the same again on re-entry. The engine's
 * own generator was seeded when the component was built, so that every instance would draw the same.
 */
import chance from "wasi:random/random@0.2.0";
import { isDriving } from "../loop";

function bytes(length: number): Uint8Array<ArrayBuffer> {
  if (!isDriving()) throw new Error("chance at module level would be the same in every run: draw it inside a step");
  return Uint8Array.from(chance.getRandomBytes(length));
}

/** Drawn ahead: a call of the host costs more than a number. */
const POOL = 64;
let pool = new DataView(new ArrayBuffer(0));
let used = 0;

/** Forgets what was drawn ahead: each invocation draws its own. */
export function forget() {
  used = pool.byteLength;
}

export function random(): number {
  if (used + 8 > pool.byteLength) [pool, used] = [new DataView(bytes(POOL).buffer), 0];
  used += 8;
  return (pool.getUint32(used - 8) * 2 ** 21 + (pool.getUint32(used - 4) >>> 11)) / 2 ** 53;
}

/** As the standard has it; more at once is refused. */
const VALUES_MAX = 65_536;

export const crypto = {
  getRandomValues<T extends ArrayBufferView>(array: T): T {
    if (array.byteLength > VALUES_MAX) throw new RangeError(`at most ${VALUES_MAX} bytes at once`);
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(bytes(array.byteLength));
    return array;
  },
  randomUUID(): string {
    const drawn = bytes(16);
    drawn[6] = (drawn[6]! & 15) | 64;
    drawn[8] = (drawn[8]! & 63) | 128;
    const digits = Array.from(drawn, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  },
};
