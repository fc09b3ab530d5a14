// Runs in a thread: one script from beginning to end, in a context of its own.
import { Scope, type QuickJSContext, type QuickJSHandle } from 'quickjs-emscripten-core'
import { scriptFile } from './codes.ts'
import { faultOf, isOutOfMemory } from './fault.ts'
import type { BoundedMemory } from './memory.ts'
import type { Watch } from './watch.ts'
import type { Ending, ScriptLine, ScriptOrder } from './wire.ts'
import type { Given, Stage } from './world.ts'

export interface Job {
  readonly order: ScriptOrder
  /** What is performed of its script. */
  readonly code: string
  readonly watch: Watch
  readonly memory: BoundedMemory
}

export interface Played {
  readonly ending: Ending
  readonly lines: readonly ScriptLine[]
}

const mostLines = 1_000
const mostSaid = 262_144
// The time is looked at between them.
const jobsAtOnce = 100

/** `world` is a function that furnishes the one of `context`. */
export function play(context: QuickJSContext, world: QuickJSHandle, job: Job): Played {
  return Scope.withScope((scope) => new Scene(context, scope).play(world, job))
}

class Scene {
  readonly #context: QuickJSContext
  readonly #scope: Scope

  constructor(context: QuickJSContext, scope: Scope) {
    this.#context = context
    this.#scope = scope
  }

  play(world: QuickJSHandle, { order, code, watch, memory }: Job): Played {
    const { runtime } = this.#context
    const stage = this.#furnish(world, order)
    if (stage === undefined) return { ending: { type: watch.why ?? 'out_of_memory' }, lines: [] }
    this.#begin(stage, code)
    while (this.#read(stage, 'outcome') === '' && !watch.isOver() && runtime.hasPendingJob())
      runtime.executePendingJobs(jobsAtOnce).dispose()
    // To read what is there takes a little, too.
    runtime.setMemoryLimit(-1)
    memory.unbound()
    const ending = endingOf(this.#read(stage, 'outcome'), order, memory.wasFull)
    return { ending: watch.why === undefined ? ending : { type: watch.why }, lines: this.#linesOf(stage) }
  }

  /** Undefined when that alone takes more than the script may have. */
  #furnish(world: QuickJSHandle, { names, seed, now, outputBytes, values }: ScriptOrder): QuickJSHandle | undefined {
    const given: Given = { names, seed, now, mostOutput: outputBytes, mostLines, mostSaid }
    const texts = [JSON.stringify(given), values].map((text) => this.#scope.manage(this.#context.newString(text)))
    return this.#call(world, this.#context.undefined, texts)
  }

  #begin(stage: QuickJSHandle, code: string): void {
    const script = this.#context.evalCode(code, scriptFile, { type: 'global', strict: true })
    const begun = script.error === undefined ? this.#property(stage, 'run') : this.#property(stage, 'refuse')
    this.#call(begun, stage, [this.#scope.manage(script.error ?? script.value)])
  }

  #call(called: QuickJSHandle, self: QuickJSHandle, given: QuickJSHandle[]): QuickJSHandle | undefined {
    const result = this.#context.callFunction(called, self, given)
    const handle = this.#scope.manage(result.error ?? result.value)
    return result.error === undefined ? handle : undefined
  }

  #property(object: QuickJSHandle, name: string): QuickJSHandle {
    return this.#scope.manage(this.#context.getProp(object, name))
  }

  #read(stage: QuickJSHandle, name: keyof Stage): string {
    return this.#context.getString(this.#property(stage, name))
  }

  #linesOf(stage: QuickJSHandle): ScriptLine[] {
    const lines = JSON.parse(`[${this.#read(stage, 'lines')}]`) as ScriptLine[]
    const unheard = Number(this.#read(stage, 'unheard'))
    return unheard === 0 ? lines : [...lines, { level: 'warn', text: `${unheard} more lines were not kept` }]
  }
}

function endingOf(outcome: string, { outputBytes }: ScriptOrder, wasFull: boolean): Ending {
  const rest = outcome.slice(1)
  switch (outcome[0] as 'v' | 'l' | 'e' | 'i' | undefined) {
    case 'v': {
      const bytes = Buffer.byteLength(rest)
      return bytes > outputBytes ? { type: 'too_large', bytes } : { type: 'returned', value: rest }
    }
    case 'l':
      return { type: 'too_large', bytes: Number(rest) }
    case 'i':
      return isOutOfMemory(rest, wasFull) ? { type: 'out_of_memory' } : { type: 'invalid', fault: faultOf(rest) }
    case 'e':
      return isOutOfMemory(rest, wasFull) ? { type: 'out_of_memory' } : { type: 'threw', fault: faultOf(rest) }
    case undefined:
      return { type: wasFull ? 'out_of_memory' : 'stuck' }
  }
}
