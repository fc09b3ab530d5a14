// Runs in a thread: the memory of an interpreter, which grows up to a bound that is set for each script.

interface WasmMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

// The types of Node 20 do not know it.
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: { Memory: new (size: { initial: number; maximum: number }) => WasmMemory }
}

const pageBytes = 65_536

/** What an interpreter takes before it performs anything. */
export const leastMemoryBytes = 16_777_216
// More than that is beyond its addresses.
const mostMemoryBytes = 2_147_483_648

export class BoundedMemory {
  /** What QuickJS is given. */
  readonly wasm: WasmMemory
  /** Whether there was ever less than was asked for. */
  wasFull = false
  #mostBytes = mostMemoryBytes

  constructor() {
    const wasm = new WebAssembly.Memory({ initial: leastMemoryBytes / pageBytes, maximum: mostMemoryBytes / pageBytes })
    const grow = wasm.grow.bind(wasm)
    wasm.grow = (pages) => {
      if (wasm.buffer.byteLength + pages * pageBytes <= this.#mostBytes) return grow(pages)
      this.wasFull = true
      throw new RangeError('No more memory')
    }
    this.wasm = wasm
  }

  /** Whether more was ever needed than there is at the beginning. It is never given back. */
  get hasGrown(): boolean {
    return this.wasm.buffer.byteLength > leastMemoryBytes
  }

  /** All that is in it, but for the zeros at its end. */
  image(): Uint8Array {
    const words = new Int32Array(this.wasm.buffer)
    let end = words.length
    while (end > 0 && words[end - 1] === 0) end -= 1
    return new Uint8Array(this.wasm.buffer.slice(0, end * Int32Array.BYTES_PER_ELEMENT))
  }

  /** As it was. What lies behind that was free then: it is written before it is read. */
  restore(image: Uint8Array): void {
    new Uint8Array(this.wasm.buffer).set(image)
  }

  bound(mostBytes: number): void {
    this.#mostBytes = mostBytes
  }

  unbound(): void {
    this.#mostBytes = mostMemoryBytes
  }
}
