// The record of an error in the form of codecs: its name and code can be read by everybody.
import { codedLabel, isCoded } from '../../lib/coded-text.ts'
import type { ErrorRecord } from '../../lib/error-record.ts'
import { unreadable } from './unreadable.ts'

interface CodedRecord extends ErrorRecord {
  /** The record as it was, in the form of the codecs. */
  readonly coded?: string
}

export function writeRecord(text: string, write: (text: string) => string): string {
  const coded = write(text)
  if (coded === text) return text
  if (!text.startsWith('{')) return coded
  const { name, code } = JSON.parse(text) as ErrorRecord
  return JSON.stringify({ name, ...(code !== undefined && { code }), message: codedLabel(coded), coded })
}

// Who ends a run may put the errors of two into one, without reading them.
export function readRecord(text: string, read: (coded: string) => string): string {
  if (isCoded(text)) return read(text)
  return text.includes('"coded":"x') ? JSON.stringify(recordOf(JSON.parse(text) as CodedRecord, read)) : text
}

function recordOf({ coded, ...record }: CodedRecord, read: (coded: string) => string): ErrorRecord {
  const own = coded === undefined || !isCoded(coded) ? record : readWhole(coded, record, read)
  const errors = record.errors?.map((error) => recordOf(error, read))
  return errors === undefined ? own : { ...own, errors }
}

function readWhole(coded: string, { name, code }: ErrorRecord, read: (coded: string) => string): ErrorRecord {
  try {
    return JSON.parse(read(coded)) as ErrorRecord
  } catch (error) {
    const { message, details, retryable } = unreadable(error, coded, `error ${code ?? name}`)
    return { name: 'TroupeError', code: 'value_unreadable', message, details, retryable: retryable === true }
  }
}
