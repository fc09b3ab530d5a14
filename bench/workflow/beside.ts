// Workflows of three steps by all sides: measured in rounds and shown in one table.
import { progress } from '../command-line.ts'
import { orWithout } from '../installed-peers.ts'
import { median, rate, table } from '../report.ts'
import type { WorkflowPeer } from './peers.ts'
import type { Figures } from './three-steps.ts'

/** Who measures: one round each. */
export interface Sides {
  readonly rounds: number
  troupe(): Promise<Figures>
  raw(): Promise<Figures>
  readonly peers: readonly WorkflowPeer[]
  /** Hears of a library of others that could not be measured. */
  readonly tell: (line: string) => void
}

/** All that has a line, by name, and the medians of ours and of the yardstick. */
export interface Beside {
  readonly troupe: Figures
  readonly raw: Figures
  readonly peers: ReadonlyMap<WorkflowPeer, Figures>
}

export async function besideOthers(name: string, { rounds, troupe, raw, peers, tell }: Sides): Promise<Beside> {
  const [ours, bare]: [Figures[], Figures[]] = [[], []]
  for (let round = 1; round <= rounds; round++) {
    progress(`${name}: round ${round} of ${rounds}`)
    bare.push(await raw())
    ours.push(await troupe())
  }
  const measured = new Map<WorkflowPeer, Figures>()
  for (const peer of peers) {
    progress(`${name}: ${peer.who}`)
    const figures = await orWithout(peer.who, () => peer.measure(), tell)
    if (figures !== undefined) measured.set(peer, figures)
  }
  progress('')
  const all = { troupe: medians(ours), raw: medians(bare), peers: measured }
  show(`${name}, median of ${rounds} rounds`, all)
  return all
}

function show(title: string, { troupe, raw, peers }: Beside): void {
  console.log(`\n${title}${peers.size > 0 ? '; one round of the libraries of others' : ''}`)
  const others = [...peers].map(([{ who }, figures]) => line(who, figures))
  const head = ['', 'a second, 100 at a time', 'steps a second', 'one alone, ms']
  console.log(table(head, [line('troupe', troupe), line('raw group commit', raw), ...others]))
  console.log(`troupe beside raw: ${Math.round((troupe.perSecond / raw.perSecond) * 100)} %`)
}

function line(who: string, { perSecond, aloneMs }: Figures): string[] {
  return [who, rate(perSecond), rate(perSecond * 3), aloneMs.toFixed(2)]
}

function medians(figures: readonly Figures[]): Figures {
  return {
    perSecond: median(figures.map(({ perSecond }) => perSecond)),
    aloneMs: median(figures.map(({ aloneMs }) => aloneMs)),
  }
}
