import { describe, expect, it } from 'vitest'
import { statesBefore, toMermaid, type Moves } from './moves.ts'
import { runMoves, type RunMove, type RunState } from './run.ts'

const door = {
  open: { from: ['closed', 'ajar'], to: 'open' },
  close: { from: ['open'], to: 'closed' },
} as const satisfies Moves<'open' | 'closed' | 'ajar'>

describe('statesBefore', () => {
  it('quotes the states for a list in SQL', () => {
    expect(statesBefore(door.open)).toBe(`'closed', 'ajar'`)
    expect(statesBefore(door.close)).toBe(`'open'`)
  })
})

describe('toMermaid', () => {
  it('draws an arrow for each state a move may start from', () => {
    const lines = ['stateDiagram-v2', '  closed --> open: open', '  ajar --> open: open', '  open --> closed: close']
    expect(toMermaid(door)).toBe(lines.join('\n'))
  })

  it('draws nothing for no moves', () => {
    expect(toMermaid({})).toBe('stateDiagram-v2')
  })
})

describe('runMoves', () => {
  const moves = Object.values(runMoves)
  const live: readonly RunState[] = ['ready', 'scheduled', 'running', 'parked']

  it('leads nowhere from a finished run', () => {
    expect(new Set(moves.flatMap((move): readonly RunState[] => move.from))).toEqual(new Set(live))
  })

  it('leads into every state', () => {
    const reached = new Set(moves.map(({ to }) => to))
    expect(reached).toEqual(new Set([...live, 'succeeded', 'failed', 'cancelled']))
  })

  it('gives a run to nobody who did not claim it', () => {
    const intoRunning = (Object.keys(runMoves) as RunMove[]).filter((name) => runMoves[name].to === 'running')
    expect(intoRunning).toEqual(['claim'])
  })

  it('can cancel every run that has not finished', () => {
    expect(runMoves.cancel.from.toSorted()).toEqual(live.toSorted())
  })
})
