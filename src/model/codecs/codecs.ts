// The coding of a store: how its texts are written and read by codecs, or seen by those who have none.
import { codedLabel, failureText, isCoded, isWhollyCoded } from '../../lib/coded-text.ts'
import { readRecord, writeRecord } from './coded-errors.ts'
import { readLayers, writeLayers } from './layers.ts'
import { unreadable } from './unreadable.ts'
import type { ValueCodec } from './value-codec.ts'

/** How texts are written into a store and read from it. */
export interface Coding {
  write(text: string, place: string): string
  /** What cannot be read is a text whose decoding throws why: one value must not hold up the others of a batch. */
  read(text: string, place: string): string
  /** The record of an error, in JSON: its name and code can be read by everybody. */
  writeError(text: string, place: string): string
  readError(text: string, place: string): string
  /** Text that was not encoded, as of a log line. */
  readPlain(text: string, place: string): string
  digest(text: string): string
}

/** The codecs one after another: the first is the first to write and the last to read. */
export function codingOf(codecs: readonly ValueCodec[]): Coding {
  const byName = new Map(codecs.map((codec) => [codec.name, codec]))
  const read = (text: string, place: string): string => {
    try {
      return isCoded(text) ? readLayers(text, place, byName) : text
    } catch (error) {
      return failureText(unreadable(error, text, place))
    }
  }
  const readPlain = (text: string, place: string): string => {
    try {
      return readLayers(text, place, byName)
    } catch (error) {
      return `(${unreadable(error, text, place).message})`
    }
  }
  return {
    write: (text, place) => writeLayers(text, place, codecs),
    read,
    writeError: (text, place) => writeRecord(text, (whole) => writeLayers(whole, place, codecs)),
    readError: (text, place) => readRecord(text, (coded) => readLayers(coded, place, byName)),
    readPlain: (text, place) => (isWhollyCoded(text) ? readPlain(text, place) : text),
    digest: (text) => codecs.reduce((digest, codec) => codec.digest?.(digest) ?? digest, text),
  }
}

/** For those who only look and have no keys: what is coded reads as a text that says so. */
export const seenFromOutside: Coding = {
  write: (text) => text,
  read: (text) => (isCoded(text) ? `j${JSON.stringify(codedLabel(text))}` : text),
  writeError: (text) => text,
  // Its message says so already.
  readError: (text) => text,
  readPlain: (text) => (isWhollyCoded(text) ? codedLabel(text) : text),
  digest: (text) => text,
}
