// A store whose tables are those of an earlier version, for a process that is not to change them.
import { TroupeError } from '../lib/errors.ts'

export function storeOlder(location: string, found: number, known: number): TroupeError {
  const what = found === 0 ? 'has no tables yet' : `has schema ${found} and this version needs ${known}`
  return new TroupeError(
    'store_older',
    `The store ${location} ${what}, and \`migrate: false\` leaves that to somebody else: run \`troupe migrate\` with its URL in --store.`,
    { details: { location, found, known } },
  )
}
