// Whoever is outside: finishes the steps of runs that gave their tokens away, as the ledger says.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { systemClock } from '../../src/lib/clock.ts'
import type { Troupe } from '../../src/troupe.ts'
import { ofKind, parsed, type Note } from './ledger.ts'

const pauseMs = 30

/** Answers everything twice, until it is told to stop, what was asked until then included. */
export function answering(client: Troupe, ledger: string, note: Note): { stop(): Promise<void> } {
  let isOver = false
  const over = answerAll(client, { ledger, note, isOver: () => isOver })
  return {
    stop: () => {
      isOver = true
      return over
    },
  }
}

interface Answering {
  readonly ledger: string
  readonly note: Note
  readonly isOver: () => boolean
}

async function answerAll(client: Troupe, { ledger, note, isOver }: Answering): Promise<void> {
  for (let from = 0; ;) {
    const wasOver = isOver()
    const text = readFileSync(ledger).subarray(from).toString()
    // The last line may be half a one.
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    from += Buffer.byteLength(whole)
    const entries = whole.split('\n').flatMap((line) => (line === '' ? [] : parsed(line)))
    for (const { run, token } of ofKind(entries, 'asked')) {
      await Promise.all([answer(client, { run, token, note }), answer(client, { run, token, note })])
    }
    if (wasOver) return
    await new Promise<void>((resolve) => systemClock.after(pauseMs, resolve))
  }
}

async function answer(
  client: Troupe,
  { run, token, note }: { readonly run: string; readonly token: string; readonly note: Note },
): Promise<void> {
  const uuid = randomUUID()
  const became = await client.complete(token, uuid)
  note({ kind: 'answered', run, uuid, answer: became })
  if (became === 'accepted') note({ kind: 'effect', run, path: 'ask', uuid })
}
