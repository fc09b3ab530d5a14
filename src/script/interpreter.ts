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

/** A world that is ready for the next script. */
interface Prepared {
  readonly context: QuickJSContext
  /** What furnishes it. */
  readonly world: QuickJSHandle
}

export class Interpreter {
  /** The next script is to have another one: this one may bear traces of a script that was cut off, or holds memory. */
  isSpent = false
  readonly #quick: QuickJSWASMModule
  readonly #memory: BoundedMemory
  #watch: Watch | undefined
  #prepared: Prepared

  private constructor(quick: QuickJSWASMModule, memory: BoundedMemory) {
    this.#quick = quick
    this.#memory = memory
    this.#prepared = this.#prepare()
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
    const { context, world } = this.#prepared
    this.isSpent = true
    this.#watch = watch
    this.#memory.bound(order.memoryBytes)
    // Of each piece of memory: small ones do not count here.
    context.runtime.setMemoryLimit(order.memoryBytes)
    const played = play(context, world, { order, code, watch, memory: this.#memory })
    this.isSpent = !isClean(played.ending) || this.#memory.hasGrown
    return played
  }

  /** Leaves the world of the last script, and makes one for the next. Measured: that takes most of the time of a small script, so nobody waits for it. */
  next(): void {
    const { context, world } = this.#prepared
    const { runtime } = context
    world.dispose()
    context.dispose()
    runtime.dispose()
    this.#watch = undefined
    this.#memory.wasFull = false
    this.#prepared = this.#prepare()
  }

  #prepare(): Prepared {
    const interruptHandler = (): boolean => this.#watch?.isOver() === true
    const context = this.#quick.newRuntime({ interruptHandler, maxStackSizeBytes: stackBytes }).newContext()
    return { context, world: context.unwrapResult(context.evalCode(worldText, 'world')) }
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
