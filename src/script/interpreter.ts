// Runs in a thread: QuickJS in WebAssembly, which performs one script after the other, each in a world of its own.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import release from '@jitl/quickjs-wasmfile-release-sync'
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type CustomizeVariantOptions,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
} from 'quickjs-emscripten-core'
import { BoundedMemory } from './memory.ts'
import { play, type Job, type Played } from './scene.ts'
import type { Watch } from './watch.ts'
import type { Ending } from './wire.ts'
import { worldText } from './world.ts'

// Measured: in a thread with a stack of 16 MiB, twice as much still ends as an error of the script.
const stackBytes = 262_144

// The types of Node 20 do not know it.
const { WebAssembly } = globalThis as unknown as { WebAssembly: { compile(code: Uint8Array): Promise<never> } }

// QuickJS asks this thread for the zone, and dates are to be the same on every machine.
globalThis.Date.prototype.getTimezoneOffset = () => 0

let compiled: Promise<never> | undefined

export class Interpreter {
  /** The next script is to have another one: this one may bear traces of a script that was cut off, or holds memory. */
  isSpent = false
  readonly #memory: BoundedMemory
  readonly #context: QuickJSContext
  /** What furnishes the world of a script. */
  readonly #world: QuickJSHandle
  /** The memory before any script. */
  readonly #image: Uint8Array
  #watch: Watch | undefined

  private constructor(quick: QuickJSWASMModule, memory: BoundedMemory) {
    const interruptHandler = (): boolean => this.#watch?.isOver() === true
    this.#memory = memory
    this.#context = quick.newRuntime({ interruptHandler, maxStackSizeBytes: stackBytes }).newContext()
    this.#world = this.#context.unwrapResult(this.#context.evalCode(worldText, 'world'))
    this.#image = memory.image()
  }

  static async load(): Promise<Interpreter> {
    compiled ??= compile()
    const memory = new BoundedMemory()
    const options = {
      wasmModule: await compiled,
      wasmMemory: memory.wasm,
      // What it would say when it breaks down is said by what it throws.
      emscriptenModule: { print: () => {}, printErr: () => {} },
    } as unknown as CustomizeVariantOptions
    const variant = newVariant(release as unknown as QuickJSSyncVariant, options)
    return new Interpreter(await newQuickJSWASMModuleFromVariant(variant), memory)
  }

  /** To be followed by `next`, or, once it is spent, by nothing. */
  perform({ order, code, watch }: Omit<Job, 'memory'>): Played {
    this.isSpent = true
    this.#watch = watch
    this.#memory.bound(order.memoryBytes)
    // Of each piece of memory: small ones do not count here.
    this.#context.runtime.setMemoryLimit(order.memoryBytes)
    const played = play(this.#context, this.#world, { order, code, watch, memory: this.#memory })
    this.isSpent = !isClean(played.ending) || this.#memory.hasGrown
    return played
  }

  /** Leaves nothing of the last script. Measured: a new context takes ten times as long as its memory as it was before any. */
  next(): void {
    this.#watch = undefined
    this.#memory.wasFull = false
    this.#memory.restore(this.#image)
  }
}

/** Whether a script came to its end by itself, within its bounds. */
function isClean(ending: Ending): boolean {
  if (ending.type === 'threw') return ending.fault.name !== 'InternalError'
  return ending.type !== 'out_of_time' && ending.type !== 'stopped' && ending.type !== 'out_of_memory'
}

async function compile(): Promise<never> {
  const file = createRequire(import.meta.url).resolve('@jitl/quickjs-wasmfile-release-sync/wasm')
  return WebAssembly.compile(await readFile(file))
}
