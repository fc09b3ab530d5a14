// What looking for definitions in a folder brought.

export interface Discovered {
  readonly folder: string
  /** What was loaded, in order. */
  readonly files: readonly string[]
  /** What was left out. */
  readonly skipped: readonly SkippedFile[]
}

export interface SkippedFile {
  readonly file: string
  readonly why: string
}
