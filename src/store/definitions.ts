// What the store knows of definitions beside their names: what is done with their runs without their code.

/** What a definition says of its runs. */
export interface DefinitionRules {
  /** How long they are kept: JSON of what it says about that; null when it says nothing. */
  readonly retention: string | null
  /** It wants to be told of those that fail. */
  readonly isTold: boolean
  /** How they start, as JSON, for those who have only its name; null when they cannot. */
  readonly starts: string | null
}

/** A definition that can be started by its name. */
export interface KnownDefinition {
  readonly id: number
  readonly version: string
  readonly starts: string
}

export interface DefinitionStore {
  /** Keeps what a definition says; writes only what differs. */
  keep(id: number, rules: DefinitionRules): Promise<void>
  /** Of its versions one that a node serves now, else the one that came last. */
  find(name: string): Promise<KnownDefinition | undefined>
  /** That of a run; undefined when there is no such run. */
  findOf(runId: string): Promise<number | undefined>
  /** The names of all that can be started by their name. */
  listNames(): Promise<string[]>
}
