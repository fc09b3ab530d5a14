// An error as it is stored.
import { toErrorRecord } from '../lib/error-record.ts'

/** The record of an error, and of what failed after it. */
export function errorText(error: Error, alsoFailed: readonly Error[] = []): string {
  const record = toErrorRecord(error)
  if (alsoFailed.length === 0) return JSON.stringify(record)
  const errors = [...(record.errors ?? []), ...alsoFailed.map((one) => toErrorRecord(one))]
  return JSON.stringify({ ...record, errors })
}
