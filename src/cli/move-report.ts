// How a move is getting on, as one line that is redrawn in place; nothing where lines cannot be redrawn.
import type { MoveProgress } from '../store/moving/moving.ts'
import { drawBar, percent } from './bar.ts'
import type { Io } from './io.ts'
import { canRedraw, eraseLine, paintFor, type Paint } from './paint.ts'
import { widthOf } from './width.ts'

const words: Readonly<Record<MoveProgress['doing'], string>> = {
  copy: 'copying',
  compare: 'comparing',
  open: 'opening',
}

const everyMs = 100
const mostBar = 30
const leastBar = 8

export class MoveReport {
  readonly #io: Io
  readonly #paint: Paint
  readonly #isDrawn: boolean
  #drawnAtMs = Number.NEGATIVE_INFINITY
  #isLineOpen = false

  constructor(io: Io, { isQuiet }: { readonly isQuiet: boolean }) {
    this.#io = io
    this.#paint = paintFor(io.stderr, io.env)
    this.#isDrawn = !isQuiet && canRedraw(io.stderr, io.env)
  }

  moved(progress: MoveProgress): void {
    const nowMs = this.#io.clock.monotonic()
    if (!this.#isDrawn || nowMs - this.#drawnAtMs < everyMs) return
    this.#drawnAtMs = nowMs
    this.#isLineOpen = true
    // The last column stays free: some terminals wrap as soon as it is written to.
    this.#io.stderr.write(`${eraseLine}${drawMove(progress, this.#io.stderr.columns - 1, this.#paint)}`)
  }

  close(): void {
    if (!this.#isLineOpen) return
    this.#isLineOpen = false
    this.#io.stderr.write(eraseLine)
  }
}

/** `copying  ━━━━╸───── 45%  90,000/200,000 rows  step`; what does not fit is left out, the last first. */
export function drawMove({ doing, table, rows, total }: MoveProgress, width: number, paint: Paint): string {
  const share = total === 0 ? 1 : Math.min(1, rows / total)
  const lead = words[doing]
  const done = percent(share).padStart(4)
  const counts = `${rows.toLocaleString('en')}/${total.toLocaleString('en')} rows`
  const whole = table === '' ? [done, counts] : [done, counts, table]
  for (const tails of [whole, [done, counts], [done]]) {
    const bar = Math.min(mostBar, width - widthOf([lead, ...tails].join('  ')) - 2)
    if (bar < leastBar) continue
    const more = tails.slice(1).map((text) => paint('dim', text))
    return [lead, `${drawBar(share, bar, paint)}${done}`, ...more].join('  ')
  }
  return widthOf(lead) <= width ? lead : ''
}
