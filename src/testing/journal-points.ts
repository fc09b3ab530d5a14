// The commits of a run, in words.

import { heldLists } from '../store/lists.ts'
import type { Batch, Committed } from '../store/store.ts'

const mostNamed = 3

/** What a commit wrote of runs, or which it brought; undefined when neither. */
export function describeCommit(batch: Batch, { claimed }: Pick<Committed, 'claimed'>): string | undefined {
  const parts = [
    ...many('start of a run', batch.starts),
    ...named('step', [...batch.steps, ...batch.turns]),
    ...named('failed attempt of', batch.attempts, 'the run'),
    ...named('child', batch.children),
    ...many('token', batch.tokens),
    ...many('waiting run', batch.parks),
    ...many('waiting run that goes on', batch.waits),
    ...many('run to be tried again', batch.retries),
    ...many('run that continues as new', batch.continues),
    ...many('end of a run', batch.settles),
    ...many('message', batch.tells),
    ...many('completion', batch.completions),
    ...many('cancel', batch.cancels),
    ...many('claimed run', claimed.flat()),
  ]
  if (parts.length > 0) return parts.join(', ')
  const isWriting = heldLists.some((list) => batch[list].length > 0) || batch.releases.length > 0
  return isWriting ? 'what a run says' : undefined
}

function many(what: string, records: readonly unknown[]): string[] {
  if (records.length === 0) return []
  return [records.length === 1 ? what : `${records.length} × ${what}`]
}

function named(what: string, records: readonly { readonly path: string }[], unnamed = ''): string[] {
  const paths = records.slice(0, mostNamed).map(({ path }) => (path === '' ? unnamed : `'${path}'`))
  if (paths.length === 0) return []
  const more = records.length > mostNamed ? ` and ${records.length - mostNamed} more` : ''
  return [`${what} ${paths.join(' and ')}${more}`]
}
