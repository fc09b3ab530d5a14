// What a transition table is, and what is derived from one: guards in SQL and drawings in the docs.

/** One way of changing state: legal from these states only, and what it leads to. */
export interface Move<State extends string> {
  readonly from: readonly State[]
  readonly to: State
}

/** Every way an entity may change state; nothing else moves it. */
export type Moves<State extends string> = Readonly<Record<string, Move<State>>>

/** The SQL guard of a move: the quoted list of states it may start from. */
export function statesBefore(move: Move<string>): string {
  return move.from.map((state) => `'${state}'`).join(', ')
}

/** Draws a transition table as a Mermaid state diagram. */
export function toMermaid(moves: Moves<string>): string {
  const arrows = Object.entries(moves).flatMap(([name, move]) =>
    move.from.map((from) => `  ${from} --> ${move.to}: ${name}`),
  )
  return ['stateDiagram-v2', ...arrows].join('\n')
}
