// What the store knows of definitions beside their names: what is done with their runs without their code.
import type { LiveState } from '../model/run.ts'
import type { Claimed, Held } from './store.ts'

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

/** An unfinished run with its journal, as it would come with a claim. */
export interface UnfinishedRun {
  readonly runId: number
  readonly name: string
  readonly version: string
  readonly state: LiveState
  readonly claimed: Claimed
}

export interface UnfinishedPage {
  /** The number of the last run of the page before; 0 for the first page. */
  readonly after: number
  readonly limit: number
}

/** A run is taken over by another version of its definition. */
export interface UpgradeRecord {
  readonly held: Held
  readonly definitionId: number
  /** Encoded. */
  readonly input: string
  /** The steps whose results are others from then on. */
  readonly steps: readonly { readonly path: string; readonly value: string }[]
}

export interface DefinitionStore {
  /** Keeps what a definition says; writes only what differs. */
  keep(id: number, rules: DefinitionRules): Promise<void>
  /** Of its versions the highest that a node serves now, else the highest. */
  find(name: string): Promise<KnownDefinition | undefined>
  /** That of a run; undefined when there is no such run. */
  findOf(runId: string): Promise<number | undefined>
  /** The names of all that can be started by their name. */
  listNames(): Promise<string[]>
  /** The unfinished runs that definitions have to go on with, the oldest first; nothing is claimed. */
  listUnfinished(page: UnfinishedPage): Promise<UnfinishedRun[]>
}
