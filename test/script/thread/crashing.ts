// A thread of scripts that does what their texts say: to see what becomes of threads that crash.
import { parentPort } from 'node:worker_threads'
import type { Answer, OrderMessage } from '../../../src/script/wire.ts'

const deeds: Readonly<Record<string, () => void>> = {
  exit: () => process.exit(7),
  throw: () => {
    throw new Error('not caught')
  },
  hang: () => {
    for (;;);
  },
  heap: () => {
    const all: number[][] = []
    for (;;) all.push(new Array<number>(1_000_000).fill(all.length + 0.5))
  },
}

parentPort?.on('message', ({ id, script }: OrderMessage) => {
  deeds[script]?.()
  const ending = { type: 'returned', value: JSON.stringify(script) } as const
  parentPort?.postMessage({ id, ending, lines: [], isSpent: false } satisfies Answer)
})
