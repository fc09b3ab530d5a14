// What is entered in the turns of loops, so that it can be forgotten without going through all the run has done.

export class TurnPaths {
  // The paths of the turns that are under way.
  readonly #paths = new Map<string, string[]>()
  // The number of the turn of each loop that the code has come to.
  readonly #turnOf = new Map<string, number>()

  open(scope: string): void {
    this.#paths.set(`${scope}/`, [])
    const at = scope.lastIndexOf('[')
    this.#turnOf.set(scope.slice(0, at), Number(scope.slice(at + 1, -1)))
  }

  /** The last turn of a loop is over: what it did stays. */
  close(scope: string): void {
    this.#paths.delete(`${scope}/`)
  }

  enter(path: string): void {
    for (const [inside, paths] of this.#paths) if (path.startsWith(inside)) paths.push(path)
  }

  /** What was entered in a turn, which is over. */
  forget(scope: string): readonly string[] {
    const paths = this.#paths.get(`${scope}/`) ?? []
    this.close(scope)
    return paths
  }

  /** Whether a path is in a turn that is over: what was still under way there may have been recorded later. */
  isOver(path: string): boolean {
    for (let at = path.indexOf('['); at !== -1; at = path.indexOf('[', at + 1)) {
      const turn = this.#turnOf.get(path.slice(0, at))
      if (turn !== undefined && Number(path.slice(at + 1, path.indexOf(']', at))) < turn) return true
    }
    return false
  }
}
