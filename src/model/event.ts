// Names of events, which of them a pattern means, and where they come from.

export const eventModes = ['durable', 'fast', 'broadcast'] as const

/** The run that published an event; nothing where it was the program. */
export interface EventOrigin {
  readonly runId?: string
  /** What the run was started with. */
  readonly correlationId?: string
  /** The name of its worker, workflow or template. */
  readonly definition?: string
  /** Of its template. */
  readonly namespace?: string
  /** The step of its template whose end is told. */
  readonly step?: string
  /** The attempt of that step. */
  readonly stepAttempt?: number
}

/** Whether an event of this name is meant by a pattern, in which `*` stands for any characters. */
export function isMeant(pattern: string, name: string): boolean {
  const parts = pattern.split('*')
  const [first = '', ...rest] = parts
  if (rest.length === 0) return pattern === name
  if (!name.startsWith(first)) return false
  const last = rest.pop() ?? ''
  let from = first.length
  for (const part of rest) {
    const at = name.indexOf(part, from)
    if (at === -1) return false
    from = at + part.length
  }
  return name.length - last.length >= from && name.endsWith(last)
}
