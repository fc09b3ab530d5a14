// Actors of one parent in start order, linked through their cells so that a million of them need no table.

import type { Cell } from './cell.ts'

export class Siblings {
  last: Cell | undefined = undefined

  add(cell: Cell): void {
    cell.older = this.last
    if (this.last !== undefined) this.last.younger = cell
    this.last = cell
  }

  remove(cell: Cell): void {
    if (cell.younger === undefined) this.last = cell.older
    else cell.younger.older = cell.older
    if (cell.older !== undefined) cell.older.younger = cell.younger
    cell.older = cell.younger = undefined
  }
}

/** All actors of a list and below it, each before its children. */
export function withDescendants(siblings: Siblings): Cell[] {
  const all: Cell[] = []
  const open = [siblings.last]
  while (open.length > 0) {
    const cell = open.pop()
    if (cell === undefined) continue
    all.push(cell)
    open.push(cell.older, cell.life.children?.last)
  }
  return all
}

/** Kills them and all below, children before their parents, last started first. However deep they go, the stack does not grow. */
export function killAll(siblings: Siblings): void {
  const lists = [siblings]
  for (let list = lists.at(-1); list !== undefined; list = lists.at(-1)) {
    const youngest = list.last
    const below = youngest?.life.children
    if (youngest === undefined) lists.pop()
    else if (below?.last !== undefined) lists.push(below)
    else youngest.life.kill()
  }
}
