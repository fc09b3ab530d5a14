// Templates as the store keeps them: the text of each, by its hash, for as long as anybody may go on with a run of it.

/** What does the work of a step, as its template names it. */
export interface HandlerNeed {
  readonly uses: string
  readonly method?: string | undefined
  readonly resolver?: string | undefined
}

/** A template that is kept from now on. */
export interface TemplateRecord {
  readonly hash: string
  /** The definition whose runs are of it. */
  readonly definitionId: number
  readonly namespace: string
  readonly name: string
  readonly version: string
  /** Its native form, as JSON. */
  readonly form: string
  /** What whoever performs it has to have. */
  readonly needs: readonly HandlerNeed[]
}

/** What is known of one that is kept, beside what it says. */
export interface KeptTemplate extends Omit<TemplateRecord, 'form' | 'needs'> {
  /** Null where that is damaged: nobody can tell who performs it. */
  readonly needs: readonly HandlerNeed[] | null
  /** How long its runs may be in which state, as it says: JSON; null where it says nothing. */
  readonly lifecycle: string | null
  /** Rises with each change of any. */
  readonly seq: number
  /** Whether its name was made to mean it, on all nodes, by the last change. */
  readonly isRefreshed: boolean
}

/** The same for people. */
export interface TemplateView extends Omit<TemplateRecord, 'form' | 'needs' | 'definitionId'> {
  /** Whether its name means it, for those who have no template of that name themselves. */
  readonly isNamed: boolean
  /** Null where what is kept of it is damaged. */
  readonly steps: number | null
  /** Those that have not ended. */
  readonly runs: number
  readonly keptAt: number
}

export interface TemplateNaming {
  readonly hash: string
  /** On nodes too that have another one of that name. */
  readonly isRefreshed: boolean
}

/** Those that nobody has had for long, and of which no run has been found so far. */
export interface IdleTemplates {
  readonly definitionIds: readonly number[]
  /** The last run that was looked at. */
  readonly after: number
}

export interface IdleRules {
  /** What was had since then is not idle. */
  readonly before: number
  /** So many templates, or runs, are looked at. */
  readonly limit: number
}

export interface TemplateStore {
  /** Writes only what is not there, or is damaged, and once a day that somebody has it. */
  keep(record: TemplateRecord): Promise<void>
  /** Makes their names mean these from now on; of those that are meant already nothing is written. */
  name(namings: readonly TemplateNaming[]): Promise<void>
  /** What one says: its native form as JSON. */
  findForm(definitionId: number): Promise<string | undefined>
  /** Those that changed after that, in the order in which they did. */
  listSince(seq: number, limit: number): Promise<KeptTemplate[]>
  /** Of the newest change; 0 before any. */
  lastSeq(): Promise<number>
  /** Those that nobody has had since then, that no name means and no schedule starts. */
  findIdle(rules: IdleRules): Promise<IdleTemplates>
  /** Looks for runs of them, a piece at a time, and deletes those that have none once it came to the end; gives what is left to look at. */
  deleteIdle(idle: IdleTemplates, rules: IdleRules): Promise<IdleTemplates>
  /** The definitions that have unfinished runs. */
  listUnfinished(): Promise<number[]>
  /** All of them, by name, those that were kept last first. */
  list(): Promise<TemplateView[]>
}
