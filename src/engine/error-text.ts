// An error as it is stored.
import { toErrorRecord, type ErrorRecord } from '../lib/error-record.ts'

/** The record of an error, and of what failed after it. */
export function errorText(error: Error, alsoFailed: readonly Error[] = []): string {
  const record = toErrorRecord(error)
  return JSON.stringify(alsoFailed.length === 0 ? record : joined(record, alsoFailed))
}

/** The same for an error that is a record already. */
export function withErrors(text: string, alsoFailed: readonly Error[]): string {
  return alsoFailed.length === 0 ? text : JSON.stringify(joined(JSON.parse(text) as ErrorRecord, alsoFailed))
}

function joined(record: ErrorRecord, alsoFailed: readonly Error[]): ErrorRecord {
  return { ...record, errors: [...(record.errors ?? []), ...alsoFailed.map((one) => toErrorRecord(one))] }
}
