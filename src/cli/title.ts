// The name and id of a run as a title; the id is whole, because people copy it.
import { oneLine, type Paint } from './paint.ts'
import { cut, widthOf } from './width.ts'

export function titleLines(
  run: { readonly id: string; readonly name: string },
  columns: number,
  paint: Paint,
): string[] {
  const name = oneLine(run.name)
  const id = paint('dim', run.id)
  if (widthOf(name) + run.id.length + 2 <= columns) return [`${paint('bold', name)}  ${id}`]
  return [paint('bold', cut(name, columns)), id]
}
