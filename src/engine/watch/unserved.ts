// Says aloud when somebody waits for the result of a run that no process will perform: most often nobody called start().
import type { Timer } from '../../lib/clock.ts'
import type { WaitReason } from '../../model/reason.ts'
import type { Deps } from '../deps.ts'

// What has been waited for that long is looked at, so many of them at a time, each once.
const patienceMs = 3_000
const mostAtOnce = 20

export interface UnservedOptions {
  /** The ids of runs whose result somebody here waits for. */
  readonly awaited: () => readonly string[]
  readonly isServing: () => boolean
}

export class Unserved {
  readonly #deps: Deps
  readonly #options: UnservedOptions
  /** What was awaited at the last look, and whether it was looked at. */
  #known = new Map<string, boolean>()
  readonly #told = new Set<string>()
  #timer: Timer | undefined

  constructor(deps: Deps, options: UnservedOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** Somebody waits: looks as long as anybody does. */
  watch(): void {
    this.#timer ??= this.#deps.clock.after(patienceMs, () => void this.#look(), { background: true, upkeep: true })
  }

  close(): void {
    this.#timer?.cancel()
  }

  async #look(): Promise<void> {
    this.#timer = undefined
    const awaited = this.#options.awaited()
    const long = awaited.filter((id) => this.#known.get(id) === false).slice(0, mostAtOnce)
    this.#known = new Map(awaited.map((id) => [id, long.includes(id) || this.#known.get(id) === true]))
    if (awaited.length > 0) this.watch()
    try {
      for (const id of long) {
        const run = await this.#deps.store.findRun(id)
        if (run?.reason?.kind === 'not_served') this.#tell(id, run.reason)
      }
    } catch {
      // Whoever waits is told what is wrong with the store.
    }
  }

  #tell(id: string, reason: WaitReason & { kind: 'not_served' }): void {
    const { queue, name } = reason
    const text = `nobody serves ${this.#whatOf(reason)}`
    if (this.#told.has(text)) return
    this.#told.add(text)
    this.#deps.log.warn({ run: id, queue }, `${text}, so the run of '${name}' waits: ${this.#remedyFor(reason)}`)
  }

  #whatOf({ missing, queue, name, version }: WaitReason & { kind: 'not_served' }): string {
    return missing === 'definition' ? `'${name}' in version ${version}` : `queue '${queue}'`
  }

  #remedyFor({ missing, queue }: WaitReason & { kind: 'not_served' }): string {
    if (missing === 'definition') return 'start a process that has its definition'
    const start = 'call troupe.start() in this process, or start another on this store'
    if (missing === 'node' || !this.#options.isServing()) return `${start}, that serves this queue`
    return `name it in Troupe.open({ queues: ['${queue}'] }), or start another process that serves it`
  }
}
