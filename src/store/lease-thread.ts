// Keeps the lease of a node from a thread with a connection of its own, which goes on while a handler holds the main loop.
import { Worker } from 'node:worker_threads'
import { toError } from '../lib/errors.ts'
import type { LeaseKeeper, LeaseOrder } from './lease.ts'

/** The words that both threads read and write. */
export const word = { stop: 0, beats: 1, node: 2 } as const

/** What every such thread is given. */
export interface LeaseThreadData {
  readonly leaseMs: number
  readonly stuckMs: number
  readonly words: Int32Array<SharedArrayBuffer>
}

/** The module that is performed in the thread, and what it is given besides. */
export interface LeaseThreadOrder extends LeaseOrder {
  readonly url: URL
  readonly data: object
}

export class LeaseThread implements LeaseKeeper {
  readonly #words = new Int32Array(new SharedArrayBuffer(4 * Object.keys(word).length))
  readonly #worker: Worker
  readonly #ended: Promise<void>
  #isStopping = false

  constructor({ url, data, nodeId, leaseMs, stuckMs, lost, failed }: LeaseThreadOrder) {
    const workerData: LeaseThreadData = { ...data, leaseMs, stuckMs, words: this.#words }
    this.#words[word.node] = nodeId
    this.#worker = new Worker(url, { workerData, execArgv: loaderOf(url) })
    // It keeps no process alive.
    this.#worker.unref()
    this.#worker.on('message', lost)
    let failure: Error | undefined
    this.#worker.on('error', (error) => (failure = toError(error)))
    this.#ended = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        resolve()
        if (!this.#isStopping) failed(failure ?? new Error(`It exited with ${code}`))
      })
    })
  }

  beat(nodeId: number): void {
    Atomics.store(this.#words, word.node, nodeId)
    Atomics.add(this.#words, word.beats, 1)
  }

  // Invariant: it is asked and never terminated, which could be in the middle of a write.
  stop(): Promise<void> {
    this.#isStopping = true
    Atomics.store(this.#words, word.stop, 1)
    // One waits for the word, another for a message.
    Atomics.notify(this.#words, word.stop)
    this.#worker.postMessage('stop')
    this.#worker.ref()
    return this.#ended
  }
}

/** Where a module of such a thread is, beside the one that asks: one of TypeScript while the library is read from its own sources. */
export function threadUrl(name: string, base: string): URL {
  return new URL(`./${name}.${base.endsWith('.ts') ? 'ts' : 'js'}`, base)
}

function loaderOf({ href }: URL): string[] {
  return href.endsWith('.ts') ? ['--import', 'jiti/register'] : []
}
