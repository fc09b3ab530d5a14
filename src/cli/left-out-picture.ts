// The steps that a run of a template left out, drawn for people.
import type { RunStatus } from '../engine/verbs/run-status.ts'
import type { LeftOutStep } from '../template/perform/reasons.ts'
import { oneLine, printable, type Paint } from './paint.ts'
import { cutMiddle, padEnd, widthOf, wrap } from './width.ts'

/** What a picture of them needs to know of where it is shown. */
interface LeftOutLook {
  readonly columns: number
  readonly paint: Paint
  readonly mostSteps: number
}

const margin = '·  '
const widestName = 32
const leastReason = 30

/** Beside each name its reason, over as many lines as it takes; below the name where the window is narrow. */
export function drawLeftOut(
  { id }: Pick<RunStatus, 'id'>,
  leftOut: readonly LeftOutStep[] | undefined,
  { columns, paint, mostSteps }: LeftOutLook,
): string[] {
  if (leftOut === undefined) return [paint('dim', 'not known: its template cannot be read here')]
  const shown = leftOut.slice(0, mostSteps)
  const width = Math.min(widestName, Math.max(0, ...shown.map(({ step }) => widthOf(printable(step)))))
  const beside = margin.length + width + 2
  // A section is indented by two.
  const room = columns - 2
  const isNarrow = room - beside < leastReason
  const lines = shown.flatMap(({ step, reason }) => {
    const name = cutMiddle(printable(step), isNarrow ? room - margin.length : width)
    const indent = isNarrow ? margin.length : beside
    const words = wrap(oneLine(reason), room - indent).map((line) => ' '.repeat(indent) + line)
    const [first = '', ...rest] = words
    const mark = paint('dim', margin)
    return isNarrow ? [mark + name, ...words] : [`${mark}${padEnd(name, width)}  ${first.trimStart()}`, ...rest]
  })
  const more = leftOut.length - shown.length
  return more === 0 ? lines : [...lines, paint('dim', `… and ${more} more: troupe show ${id} --all`)]
}
