// Scripts in a sandbox: JavaScript or TypeScript as text, with JSON in and out and nothing else, in threads outside the main loop.
import { setMaxListeners } from 'node:events'
import { availableParallelism } from 'node:os'
import { checkWhole } from '../engine/checks.ts'
import { Threads, type ThreadKind } from '../engine/pool/threads.ts'
import { isSource, moduleBeside } from '../lib/beside.ts'
import { systemClock, type Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { engineStopped } from '../model/errors.ts'
import { orderOf, type ScriptOptions } from './options.ts'
import { ScriptRun, type Surroundings } from './script-run.ts'

export interface SandboxOptions {
  readonly log: Log
  /** How many scripts are performed at a time: as many as there are processors unless given, but from 2 to 4. */
  readonly max?: number
  /** That of the machine unless given: what a thread does takes real time, whatever clock the engine has. */
  readonly clock?: Clock
  /** The module that threads run. */
  readonly host?: URL
}

// Not the options of this process, and nothing of its environment. Node runs no TypeScript of its own accord, and says of what it has that it is experimental.
const execArgv = [
  '--disable-warning=ExperimentalWarning',
  ...(isSource(import.meta.url) ? ['--import', 'jiti/register'] : []),
]

// Texts on their way in and out; see `stackBytes`.
const resourceLimits = { maxOldGenerationSizeMb: 256, stackSizeMb: 16 }

/**
 * Performs scripts that nobody trusts. Makes no thread before the first one, keeps those it has made for half a minute, and replaces one that crashed.
 *
 * A script is the body of an async function in strict mode, in JavaScript or TypeScript. It finds the globals it is given and what JavaScript itself has,
 * in a world of its own that the next script does not see: no input or output, no imports, no timers; its time stands still and is UTC, and its random numbers follow from a seed,
 * so the same script with the same things given returns the same.
 */
export class Sandbox {
  readonly #around: Surroundings
  readonly #runs = new Set<ScriptRun>()
  #isClosed = false

  constructor({ log, clock = systemClock, max = usualMax(), host = threadHost }: SandboxOptions) {
    checkWhole('max of a sandbox', max, 1)
    const kind: ThreadKind = { key: 'script', host, execArgv, env: {}, resourceLimits }
    this.#around = { threads: new Threads({ clock, log, max, data: {} }), kind, clock, log }
  }

  /**
   * Resolves with what the script returned, as JSON has it: undefined is null, -0 is 0, dates are texts.
   *
   * Throws: `script_failed` for what the script threw, for a result that JSON has no form for, and when it awaits what nothing settles;
   * `script_invalid`, `script_timed_out`, `script_out_of_memory`; `value_too_large` for its result; `thread_ended` when its thread crashed;
   * `option_invalid` and `value_not_storable` for what it is given; `engine_stopped` once this is closed; the reason of `signal`.
   */
  async run(script: string, options: ScriptOptions): Promise<unknown> {
    const order = orderOf(script, options)
    const { signal, from = {}, onLine } = options
    if (this.#isClosed) throw engineStopped()
    signal?.throwIfAborted()
    const run = new ScriptRun({ order, from, onLine }, this.#around)
    const cut = (): void => run.cut(signal?.reason)
    // Many scripts of one run listen to the same one.
    if (signal !== undefined) setMaxListeners(0, signal)
    signal?.addEventListener('abort', cut, { once: true })
    this.#runs.add(run)
    try {
      return await run.start()
    } finally {
      this.#runs.delete(run)
      signal?.removeEventListener('abort', cut)
    }
  }

  /** Ends the scripts under way, which fail with `engine_stopped`, and all threads; resolves when they are gone. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const run of this.#runs) run.end(engineStopped())
    await this.#around.threads.close()
  }
}

const threadHost = moduleBeside(import.meta.url, 'thread-host')

function usualMax(): number {
  return Math.min(4, Math.max(2, availableParallelism()))
}
